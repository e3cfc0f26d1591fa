// Package registers is a crowd of devices for tests of faults: over real
// sockets and against several nodes each sends documents one after another,
// and sends again, byte for byte, whatever was not answered, as devices do.
//
//	add.go      puts them on the record
//	crowd.go    the devices and their work; those of Kazakhstan
//	document.go what they send
//	drive.go    those of Russia, each with a simulated fiscal drive
//	compare.go  what was answered against what is stored
//
// What was sent to and answered by Kazakhstan's door also goes to a
// history.Recorder. A drive needs none: it sends one document at a time and the
// next only after an answer, so that the only order there can be is the order
// of its numbers, and Compare asks for that.
//
// Left to
// device/kkm: a register that works on by itself when nobody answers.
package registers
