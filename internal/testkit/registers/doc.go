// Package registers is a crowd of devices for tests of faults: over real
// sockets and against several nodes each sends documents one after another,
// and sends again, byte for byte, whatever was not answered, as devices do.
//
//	add.go      puts them on the record
//	crowd.go    the devices and their work
//	document.go what they send
//	compare.go  what was answered against what is stored
//
// What was sent and answered also goes to a history.Recorder. Left to
// device/kkm: a register that works on by itself when nobody answers.
package registers
