-- The journal: what the installation is, the ends of the partitions, entries,
-- states, cards. Times are microseconds since 1970, UTC, unless a comment says
-- otherwise; sums are minor units; unsigned numbers are stored as the signed
-- ones with the same bits.

-- +goose Up

-- Chosen when the installation was made, never changed.
CREATE TABLE installation (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO installation (name, value) VALUES ('partitions', '1');

-- The end of each partition. fence counts the fences, so that each of them
-- really writes.
CREATE TABLE heads (
	partition INTEGER PRIMARY KEY CHECK (partition = 0),
	seq       INTEGER NOT NULL,
	month     INTEGER NOT NULL, -- yyyymm
	chain     BLOB NOT NULL CHECK (length(chain) = 32),
	fence     INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO heads (partition, seq, month, chain) VALUES (0, 0, 0, zeroblob(32));

-- One partition, so seq is the rowid. The order of the columns is the order of
-- reading: the small ones first, the bytes last.
CREATE TABLE entries (
	seq           INTEGER PRIMARY KEY CHECK (seq > 0),
	partition     INTEGER NOT NULL DEFAULT 0 CHECK (partition = 0),
	month         INTEGER NOT NULL, -- yyyymm
	register      INTEGER NOT NULL,
	number        INTEGER NOT NULL CHECK (number > 0),
	taxpayer      INTEGER NOT NULL,
	card_version  INTEGER NOT NULL,
	format        TEXT NOT NULL,
	kind          INTEGER NOT NULL,
	outcome       INTEGER NOT NULL,
	flags         INTEGER NOT NULL,
	drive         TEXT NOT NULL,
	device_number INTEGER NOT NULL, -- 0: none
	device_time   INTEGER NOT NULL, -- seconds, the device's own clock
	received_at   INTEGER NOT NULL,
	shift         INTEGER NOT NULL,
	fiscal_sign   INTEGER NOT NULL,
	sign_key      INTEGER NOT NULL,
	operation     INTEGER NOT NULL,
	total         INTEGER NOT NULL,
	cash          INTEGER NOT NULL,
	cashless      INTEGER NOT NULL,
	other_paid    INTEGER NOT NULL,
	tax           INTEGER NOT NULL,
	refers        INTEGER NOT NULL, -- 0: none
	carrier       INTEGER NOT NULL, -- 0: itself
	codec         INTEGER NOT NULL,
	salt          BLOB NOT NULL CHECK (length(salt) = 16),
	digest        BLOB NOT NULL CHECK (length(digest) = 32),
	hash          BLOB NOT NULL CHECK (length(hash) = 32),
	chain         BLOB NOT NULL CHECK (length(chain) = 32),
	request       BLOB NOT NULL,
	answer        BLOB NOT NULL
) STRICT;
CREATE INDEX entries_device_number ON entries (register, device_number) WHERE device_number <> 0;

-- What the exchanges made of a register. The row is written anew with each of
-- them, so it also carries the places of the register's latest entries, until
-- they fill a row of numbers. It keeps its length, so that it is written where
-- it stands.
CREATE TABLE states (
	register  INTEGER PRIMARY KEY,
	partition INTEGER NOT NULL CHECK (partition = 0),
	version   INTEGER NOT NULL,
	number    INTEGER NOT NULL, -- of the last entry, 0: none
	state     BLOB NOT NULL,
	latest    BLOB NOT NULL DEFAULT (zeroblob(192)) -- as seqs of numbers, valid up to number
) STRICT;

-- Leads from a register's number to an entry: the seqs of 32 entries to a row,
-- 6 bytes each, big-endian. Numbers 1 to 32 are in run 0.
CREATE TABLE numbers (
	register INTEGER NOT NULL,
	run      INTEGER NOT NULL CHECK (run >= 0),
	seqs     BLOB NOT NULL CHECK (length(seqs) = 192),
	PRIMARY KEY (register, run)
) STRICT, WITHOUT ROWID;

-- What the registry says of a register, each change a new version.
CREATE TABLE cards (
	register INTEGER NOT NULL,
	version  INTEGER NOT NULL CHECK (version > 0),
	body     TEXT NOT NULL CHECK (json_valid(body)),
	UNIQUE (register, version)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER installation_update BEFORE UPDATE ON installation BEGIN SELECT RAISE(ABORT, 'the installation never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER installation_delete BEFORE DELETE ON installation BEGIN SELECT RAISE(ABORT, 'the installation never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER heads_delete BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'a partition never ends'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER heads_back BEFORE UPDATE ON heads WHEN NEW.seq < OLD.seq OR NEW.month < OLD.month BEGIN SELECT RAISE(ABORT, 'a partition never goes back'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER states_delete BEFORE DELETE ON states BEGIN SELECT RAISE(ABORT, 'a register never goes away'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER numbers_update BEFORE UPDATE ON numbers BEGIN SELECT RAISE(ABORT, 'entries never move'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER numbers_delete BEFORE DELETE ON numbers BEGIN SELECT RAISE(ABORT, 'entries never move'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER cards_update BEFORE UPDATE ON cards BEGIN SELECT RAISE(ABORT, 'a version of a card never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER cards_delete BEFORE DELETE ON cards BEGIN SELECT RAISE(ABORT, 'a version of a card never changes'); END;
-- +goose StatementEnd
