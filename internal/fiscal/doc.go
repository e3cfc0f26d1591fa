// Package fiscal says what things are: money, quantity, tax, receipt, shift,
// counters, a register's card and state, reports, and the kinds and reasons of
// errors.
//
// It is pure. It knows no wire format, no database, no network, no clock and no
// randomness; what depends on time or chance is handed in. What only one
// country has travels through it as named requisites.
//
// Sources: order 636 of 30.12.2008, order 135 of 27.02.2015, KKM 2.0.2.
package fiscal
