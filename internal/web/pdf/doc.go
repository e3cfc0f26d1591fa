// Package pdf sets documents on paper: a roll of 80 mm, or sheets of A4. What
// stands in a document is the business of whoever makes it; here are lines, rows
// of a label and a value, rules and codes, and how they are laid out.
//
// The same content gives the same bytes. Letters are Noto Sans, embedded, with
// those of Kazakh and the signs of both currencies; a letter that the font lacks
// is shown by the mark � for one. See VENDOR.md.
package pdf
