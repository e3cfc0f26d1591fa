// Package bench measures how many receipts an operator accepts and how long
// its registers wait, beside two ceilings of the same machine in the same run:
// a bare TCP echo of the same frames, and a bare batched insert of the same
// rows. The ratios to these say what our own work costs, whatever the machine.
//
//	run.go         the load: registers, connections, rate
//	register.go    what a load asks of a register, whatever its protocol
//	client.go      one connection and its registers
//	kkm.go         registers of Kazakhstan
//	ticket.go      the receipt that they send, patched in place
//	kkt.go         registers of Russia
//	kktreceipt.go  the receipt that these send
//	idle.go        connections that are open and silent
//	seller.go      browsers that sell at the pages of a till
//	tillreport.go  what came of that
//	histogram.go   latencies
//	echo.go        ceiling: the same frames echoed
//	store.go       ceiling: the same rows inserted
//	report.go      figures as JSON and as a table
//
// Each register waits for its answer before it sends again, as real ones do,
// and sends again as it was what got none. Every answer is checked. The client
// costs little: a request is a copy of a template of which date, time and
// numbers are patched; a receipt of Russia gets the signs of its drive besides.
package bench
