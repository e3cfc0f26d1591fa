// Package kkt speaks the protocol between a cash register of Russia with its
// fiscal drive and a fiscal data operator: a 30-byte header and a container
// that holds one fiscal document, sealed by the drive. One request carries one
// document, the answer one acknowledgement. The same header carries requests
// and notifications on marked goods, which are for the marking system.
//
//	header.go     header, services, flags
//	admit.go      what a door takes, from the header alone
//	frame.go      container; drivenumber.go and doccode.go: whose, and what
//	message.go    both together, for either side
//	fault.go      which rule a message breaks, and what is done about it
//	outline.go    the few requisites of a document that the exchange needs
//	crypto.go     the port to the keys
//	sim1*.go      keys of simulated drives; plain.go: none at all
//	ack.go        the acknowledgement
//	request.go    a message opened, as it is judged
//	rules*.go     the judgement: acknowledged, repeated, or left without a reply
//	state.go      what a register's state remembers of its drives
//	drives.go     the same for people
//	read.go       stored documents opened again
//	judge.go      an answer as a drive judges it
//	explain.go    a message in plain words, with inspect.go
//
// An operator takes a message in these steps, and each says what to do when it
// fails (ReactionTo):
//
//	Limits.Admit          30 bytes: close, answer an empty message, or read on
//	ParseRequest          the container
//	CryptoModule          opened and authenticated
//	CheckDocument         document and container agree
//	Rules.Judge           repetition, register, format and logic
//	Ack.Seal              the acknowledgement, stored before it is sent
//
// OpenRequest does the second to the fourth, Rules.Judge the rest. Documents,
// tags and formats are known to the folder ffd; sockets, deadlines and storage
// are left to gate, intake and journal.
//
// # Crypto modules
//
// Signs of real drives are made and checked by certified means alone, under
// keys that drive and operator share; how is not public. CryptoModule is the
// port for such a device. Its maker writes a type with the interface's six
// methods, which asks the device:
//
//   - OpenContainer and OpenMarking get the whole container, Frame.Raw, as it
//     was received, and return the document and its message sign. Everything
//     that sealing needs later (a session with the device, a nonce) goes into
//     Opened.Context, which comes back unchanged; it is never stored.
//   - SealAcknowledgement gets the requisites of document 7 in the order 1017,
//     1041, 1040, 1012, 1068 or 1206, and appends the whole container: header
//     with the request's drive and document number, the document with 1078
//     behind the requisites, the confirmation sign, two zeros. AppendFrame
//     computes length and CRC.
//   - Errors say whose fault it is. ErrCannotDecrypt, ErrSignInvalid and
//     ErrUnknownDrive mean that the container is not what it claims: it is kept
//     apart and gets no reply. ErrTemporary and ErrKeyUnavailable blame nobody:
//     the register gets no reply and sends again. When in doubt return
//     ErrTemporary, for a document is then neither lost nor wrongly refused.
//   - Methods are called by many goroutines at once, must heed the deadline of
//     ctx, and must not keep or change the bytes they are given.
//
// SIM1 is a complete example. Whatever seals must pass CheckReply, which looks
// at an answer as a drive does but for the signs: an acknowledgement that does
// not is neither stored nor sent. The frame as received is kept for ever beside
// the opened document, so that another module can check it again.
//
// Promises: nothing here panics on any input or allocates by a length that the
// input merely claims; the bytes received are never changed; reading a message
// in order allocates nothing, but for decryption.
//
// Sources: KKT reference, §2, §3, §7, §8, §10; law 54-FZ, articles 4.1 and 4.3.
package kkt
