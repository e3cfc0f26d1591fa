// Package till is our software cash register, for many sellers in one process:
// their accounts and cashiers, the registers they have connected to an operator,
// and what they sell, as far as the screens do not matter.
//
//	sale.go      a draft of a receipt, composed and judged. Pure
//	account.go   sellers: sign-up by a code, one device at a time
//	cashier.go   the people at a register: their codes and rights
//	register.go  registers: connected by identifier and token, their settings
//	desk.go      the acts of a cashier: form, deposit, withdraw, X, Z
//	history.go   what was made: receipts, cash, reports
//	memory.go    a register's memory and its history, one step at a time
//	named.go     what the operator's cabinet calls a register, and is told of it
//	goods.go     what is sold often: the catalog of the operator, and own goods
//	known.go     accounts with their people and registers, kept in memory
//	catalog.go   the operator's catalog, by hand and once a day
//	shelf.go     the till's own SQLite file
//
// It is the client of an operator and of nothing else: documents go out by
// device/kkm, which also decides when a register works autonomously and when it
// stands still.
//
// Promises. A document is in the history in the very transaction in which the
// register's memory takes it, so neither is there without the other, whatever is
// killed when. A draft is formed once, however often its device asks. What a
// device sends whose session has ended changes nothing.
//
// Sources: E-kassa manual, order 636; requirements E-001 to E-157.
package till
