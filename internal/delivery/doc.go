// Package delivery forwards documents to an authority. It follows the journal:
// each accepted document is worded as the authority reads it and sent, register
// by register in its order, in batches; a batch, what of it was parked and the
// cursor are stored in one transaction.
//
// A batch that was sent but not stored, because the process died in between, is
// sent again. So each document has an ID by which the other end takes it once;
// that is the Sender's promise.
//
// What cannot be forwarded is parked with its reason and waits for a person;
// the documents behind it go on, for no authority that is served asks for more.
// Delivery never changes a document: it may only be worded anew.
//
// Left to others: the words and the way (authority/*), reading the journal
// (follow), the transaction (the engines).
//
// Source: KKT reference §12.3.
package delivery
