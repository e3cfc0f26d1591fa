// Package bench measures how many receipts an operator accepts and how long
// its registers wait, beside two ceilings of the same machine in the same run:
// a bare TCP echo of the same frames, and a bare batched insert of the same
// rows. The ratios to these say what our own work costs, whatever the machine.
//
//	run.go        the load: registers, connections, rate
//	client.go     one connection and its registers
//	ticket.go     the receipt that is sent, patched in place
//	histogram.go  latencies
//	echo.go       ceiling: the same frames echoed
//	store.go      ceiling: the same rows inserted
//	report.go     figures as JSON and as a table
//
// Each register waits for its answer before it sends again, as real ones do.
// Every answer is checked; a token that changes is used in the next request; a
// register that is told so closes its shift. The client costs little: a
// request is a template of which header, date, time and number are patched.
package bench
