// Package pages serves what people look at: the front page and the buyer's
// check. Each handler parses, asks and renders.
//
// A page shows of a receipt all that the paper must show, and more words:
// the requisites of order 636 items 15 and 49, in the reader's language and in
// the official ones.
package pages
