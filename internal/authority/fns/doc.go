// Package fns words documents for Russia's tax service and writes them to a
// folder, from where whatever channel an operator has takes them. The service's
// own channel is not public; a client of it would be one more delivery.Sender.
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
// Left to others: the words of the document itself (protocol/kkt), when and in
// which order (delivery).
//
// Source: KKT reference §12.
package fns
