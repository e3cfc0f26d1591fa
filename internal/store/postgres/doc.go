// Package postgres is the production engine: one PostgreSQL database (15 or
// newer, or Citus) that many nodes share.
//
// It keeps the promises of store/sqlite, file by file; what differs comes from
// there being many writers:
//
//   - Partitions are fixed at the first migration (64, unless told otherwise).
//     Who appends holds the lock of the heads it touches, taken in ascending
//     order; under it states are read, judged stale or fresh, and moved on.
//   - Entries lie in a table for each month, opened ahead.
//   - Rights are the database's: the service may append and read entries and
//     nothing else, web reads see one taxpayer at a time, triggers refuse even
//     the owner what never happens.
//   - A schema is migrated by a command alone (Migrate), never by Open.
//
// A batch takes two round trips on a connection of its own, in the protocol's
// own messages (wire.go), so that it is always known how far the server had
// come when a connection was lost: nothing is stored unless COMMIT left.
//
// Left to others: group commit and what to do when an outcome is unknown
// (journal), the master key (keyring), when to migrate (cmd).
package postgres
