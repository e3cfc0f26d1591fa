// Package kgd words documents for Kazakhstan's tax authority and carries them,
// applications, daily summaries and reports to it by HTTPS.
//
// The authority's own exchange is not public. This one, "kgd/1", is ours and
// published: docs/kgd.md says it in words, docs/kgd.schema.json as a schema, and
// the sandbox authority is its other end. Messages stand in messages.go, one
// type each; both ends use them.
//
// Amounts travel as text with two decimals, times of registers as what their
// clocks show, without a zone, and instants of ours in UTC.
//
// Left to others: when and in which order (delivery), what is in a document
// (protocol/kkm).
//
// Sources: order 135 of 27.02.2015 items 9, 10, 20, 22; order 626 of 24.10.2025.
package kgd
