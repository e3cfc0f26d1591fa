// Package link is the way to an authority's address over HTTPS: one client with
// our certificate, kept connections, deadlines on everything, packed bodies and
// bounded answers.
//
// What an answer comes to:
//
//	2xx, and what it must hold     done
//	413, 422 on several documents  asked again in halves, so that one is to blame
//	413, 422 on one                refused, for ever, as it is
//	422 of a far end whose clock
//	is an hour off or more         Unavailable: it may read the wrong day
//	429, 503 with Retry-After      Unavailable; nobody asks again before
//	all else, rubbish, silence     Unavailable: nothing is known, it comes again
//
// What is Unavailable holds a delivery.Trouble, which says why in a word.
//
// So whatever a far end says, a document is taken, refused by its own ID, or
// still ours.
//
// Left to others: the messages (kgd, fns, marking), when and in which order
// (delivery).
package link
