// Package sqlite is the embedded engine, the default: a folder with two SQLite
// files.
//
//   - ofd.db holds the facts: the journal, states and cards, the registry, keys,
//     what was refused.
//   - cabinet.1.db holds what can be had again: last contacts. It may be deleted
//     while nothing runs, and is made anew.
//
// There is one partition, number 0, so an entry's seq is its rowid. One process
// serves a folder (ofd.lock); commands write beside it in short transactions,
// so every transaction that writes holds the file's lock from its first moment
// and reads the head within.
//
// Nothing that a document depends on is ever changed or deleted: triggers
// refuse it, on every connection of ours also for REPLACE.
//
// A register's entries are found by their numbers without an index over all of
// them. Such an index would have a page of its own to write for nearly every
// receipt. Instead the state row, which is written anyway, carries the places
// of the latest entries, and every 32nd entry moves them to a row of numbers.
// It saves a third of the work of a commit and half of what goes to the disk.
//
// Left to others: group commit and what to do when an outcome is unknown
// (journal), the master key (keyring), when to migrate (cmd).
package sqlite
