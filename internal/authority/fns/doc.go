// Package fns words documents for Russia's tax service, and brings them, and
// signed applications about registers, to where a channel takes them: across the
// network as messages of our own, published in docs/fns.md, or, documents alone,
// into a folder. The service's own channel is not public.
//
//	wording.go   a document as a line of JSON
//	messages.go  what goes across the network; client.go sends and asks it
//	files.go     the folder
//
// One document is one line of JSON, an object that says which document it is,
// where it came from and what was found, and holds the document itself as the
// service words it:
//
//	{"id":"9999078902001234-57","register":200145,"entry":58,
//	 "received":"2026-11-22T01:02:03.123456Z","answered":0,"flags":[],
//	 "document":{"receipt":{…}}}
//
// Lines stand in files by day and register: DIR/2026-11-22/200145.jsonl. A
// document that a person sent on later is in 200145.again.jsonl beside it.
//
// Left to others: the words of the document itself (protocol/kkt), certificates
// and what an answer comes to (authority/link), when and in which order
// (delivery).
//
// Sources: KKT reference §12; law 54-FZ article 4.2.
package fns
