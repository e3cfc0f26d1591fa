// Package sqlitefile opens one SQLite file our way: write-ahead log, every
// commit synced, one writing connection, a few reading ones, migrations,
// bounded growth of the log, and errors that say what to do.
//
// It speaks to SQLite directly and not through database/sql: a statement is
// prepared once, its values are bound without boxing, and a writer cannot be
// shared by mistake. Statements belong to the packages that use it; so does
// the meaning of what is stored.
//
// Promises: Write runs one transaction at a time, from BEGIN IMMEDIATE, and
// after a nil error it survives power loss; an error other than OutcomeUnknown
// means that nothing of it is or will be stored. Readers never wait for the
// writer. Several processes may use one file.
//
// Sources: sqlite.org/wal.html, sqlite.org/c3ref/wal_checkpoint_v2.html,
// sqlite.org/rescode.html.
package sqlitefile
