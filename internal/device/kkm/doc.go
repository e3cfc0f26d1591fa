// Package kkm is the register's side of the protocol between a cash register
// of Kazakhstan and a fiscal data operator: a link, a memory, and a virtual
// register that makes receipts on them. The till, the demo, the load generator
// and the tests speak to operators through it, and a maker of registers can
// read it as an example.
//
//	link.go       one request and its answer over TCP or TLS, every byte checked
//	memory.go     what must survive a power cut, and how it is written down
//	filememory.go the memory as a file
//	register.go   the register: configuration, modes, what it remembers
//	document.go   documents: receipts, cash, shift close; online or autonomous
//	deliver.go    the autonomous queue and its delivery
//	question.go   requests that leave no document
//	ticket.go     a receipt as the wire has it, for each version
//	exchange.go   one request until it is answered, and the service part
//	refusal.go    result codes and what they mean for the register
//
// Promises. A document is durable in the memory before its first byte leaves,
// and leaves the memory only when it was answered. It is repeated with the
// same TOKEN and REQNUM until then, so the operator can tell a repetition from
// a second sale. Without an answer within the transaction time the register
// works on by itself: receipts carry its own number, unique for its life, and
// wait in one queue that is delivered strictly in order.
//
// Left to others: printing, screens, cashiers' passwords, the choice of goods.
//
// Sources: KKM 2.0.2 §2.2, §5.1 and the KKM reference §5.10, §9.2.
package kkm
