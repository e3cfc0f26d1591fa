// Package compare holds what a seller's own books say against what the
// registers sent: what is equal, what is in the books alone, what is in the
// registers alone, and what both have in different words.
//
// Matching is a pure function of its input, the same however often it is asked.
// A row of the books goes with one receipt at most, and a receipt with one row:
// first by a key that names the receipt (its sign, its number, its register and
// second), then by the nearest time within a tolerance with the same sum.
//
// Left to others: what a file looks like (web/room), how people see the result
// (web), who may ask (access, through the cabinet.Scope).
//
// Source: requirement P-101.
package compare
