-- Followers that keep facts: how far each got, what delivery sent, and what of
-- it waits for a person.

-- +goose Up

CREATE TABLE cursors (
	follower   TEXT NOT NULL,
	generation INTEGER NOT NULL,
	partition  INTEGER NOT NULL,
	seq        INTEGER NOT NULL CHECK (seq >= 0), -- the last entry followed
	moved_at   INTEGER NOT NULL,
	failed_seq INTEGER NOT NULL DEFAULT 0, -- 0: the last attempt went well
	failed_at  INTEGER NOT NULL DEFAULT 0,
	failure    TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (follower, generation, partition)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER cursors_back BEFORE UPDATE ON cursors WHEN NEW.seq < OLD.seq
BEGIN
	SELECT RAISE(ABORT, 'a cursor never goes back');
END;
-- +goose StatementEnd

-- A row for each batch that an authority took.
CREATE TABLE deliveries (
	authority TEXT NOT NULL,
	partition INTEGER NOT NULL,
	first_seq INTEGER NOT NULL,
	last_seq  INTEGER NOT NULL CHECK (last_seq >= first_seq),
	documents INTEGER NOT NULL, -- taken
	bytes     INTEGER NOT NULL,
	parked    INTEGER NOT NULL,
	sent_at   INTEGER NOT NULL,
	PRIMARY KEY (authority, partition, first_seq)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER deliveries_never BEFORE UPDATE ON deliveries
BEGIN
	SELECT RAISE(ABORT, 'what was delivered never changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries
BEGIN
	SELECT RAISE(ABORT, 'what was delivered never changes');
END;
-- +goose StatementEnd

CREATE TABLE parked (
	id         INTEGER PRIMARY KEY,
	authority  TEXT NOT NULL,
	partition  INTEGER NOT NULL,
	seq        INTEGER NOT NULL,
	register   INTEGER NOT NULL,
	number     INTEGER NOT NULL,
	document   TEXT NOT NULL,
	reason     TEXT NOT NULL,
	detail     TEXT NOT NULL,
	parked_at  INTEGER NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,
	tried_at   INTEGER NOT NULL DEFAULT 0,
	settled_at INTEGER NOT NULL DEFAULT 0, -- 0: it waits
	UNIQUE (authority, partition, seq)
) STRICT;
CREATE INDEX parked_waiting ON parked (authority, id) WHERE settled_at = 0;
-- +goose StatementBegin
CREATE TRIGGER parked_stays BEFORE DELETE ON parked
BEGIN
	SELECT RAISE(ABORT, 'a parked document is settled, never forgotten');
END;
-- +goose StatementEnd
