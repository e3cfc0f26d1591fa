// Package cabinet answers the questions people ask about what the journal
// holds. The first of them is the buyer's: is this receipt real?
//
// Left to others: how an answer looks (web), what an entry means (protocol/*,
// through the Read that is handed in), who may ask what (access).
//
// Sources: order 135 items 5.8 to 5.10 and 17, KKM reference §11 and §12.
package cabinet
