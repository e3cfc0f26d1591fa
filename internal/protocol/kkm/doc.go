// Package kkm speaks the protocol between a cash register of Kazakhstan and a
// fiscal data operator: an 18-byte header and a protobuf payload over TCP,
// versions 1.2.4 to 2.0.4.
//
// Bytes become values and values bytes in header.go, request.go and
// response.go; explain.go says in plain words what is wrong with a frame. What
// a document means and whether it may be accepted is judged by the rules,
// which are pure: time, keys and randomness are handed in. Sockets, deadlines
// and storage are left to gate, intake and journal.
//
// Promises: nothing here panics on any input or allocates by a length that
// the input merely claims; the bytes received are never changed.
//
// Sources: KKM 2.0.2 and 2.0.3, the data transfer protocol of the operator.
package kkm
