-- Months that are kept no longer: the segment that stands for each, signed,
-- where the registers stood at its end, and what outlives it. An entry can be
-- deleted when its month is among the retired, and a month gets there only when
-- its segment fits, its term is over by this machine's clock and no older one is
-- left. No law of any country asks for less than five years.

-- +goose Up

CREATE TABLE segments (
	month     INTEGER PRIMARY KEY, -- yyyymm
	first_seq INTEGER NOT NULL,
	last_seq  INTEGER NOT NULL CHECK (last_seq >= first_seq),
	entries   INTEGER NOT NULL CHECK (entries = last_seq - first_seq + 1),
	until     INTEGER NOT NULL, -- microseconds since 1970, UTC
	chain     BLOB NOT NULL CHECK (length(chain) = 32), -- of the last entry
	sign_key  INTEGER NOT NULL,
	sign      BLOB NOT NULL,
	body      TEXT NOT NULL CHECK (json_valid(body)) -- what is signed
) STRICT;

CREATE TABLE segment_ends (
	month    INTEGER NOT NULL,
	register INTEGER NOT NULL,
	taxpayer INTEGER NOT NULL,
	number   INTEGER NOT NULL, -- of its last entry
	hash     BLOB NOT NULL CHECK (length(hash) = 32),
	state    BLOB NOT NULL,
	PRIMARY KEY (month, register)
) STRICT, WITHOUT ROWID;

-- The last entries of each kind of a register and month, whole.
CREATE TABLE kept_entries (
	register INTEGER NOT NULL,
	number   INTEGER NOT NULL,
	month    INTEGER NOT NULL,
	body     TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (register, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE retired (
	month    INTEGER PRIMARY KEY,
	last_seq INTEGER NOT NULL,
	at       INTEGER NOT NULL
) STRICT;
CREATE INDEX retired_last ON retired (last_seq);

-- +goose StatementBegin
CREATE TRIGGER retired_early BEFORE INSERT ON retired WHEN NOT EXISTS (
	SELECT 1 FROM segments s WHERE s.month = NEW.month AND s.last_seq = NEW.last_seq
		AND s.until <= unixepoch('now') * 1000000 AND s.month < CAST(strftime('%Y%m', 'now', '-5 years') AS INTEGER)
		AND s.first_seq = 1 + coalesce((SELECT max(last_seq) FROM retired), 0)
		AND EXISTS (SELECT 1 FROM entries WHERE seq = s.first_seq AND month = s.month)
		AND EXISTS (SELECT 1 FROM entries WHERE seq = s.last_seq AND month = s.month AND chain = s.chain)
		AND NOT EXISTS (SELECT 1 FROM entries WHERE seq = s.last_seq + 1 AND month <= s.month)
		AND EXISTS (SELECT 1 FROM segment_ends WHERE month = s.month))
BEGIN
	SELECT RAISE(ABORT, 'this month has to be kept');
END;
-- +goose StatementEnd
DROP TRIGGER entries_delete;
-- +goose StatementBegin
CREATE TRIGGER entries_delete BEFORE DELETE ON entries WHEN OLD.seq > coalesce((SELECT max(last_seq) FROM retired), 0)
BEGIN
	SELECT RAISE(ABORT, 'entries never change');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER segments_update BEFORE UPDATE ON segments BEGIN SELECT RAISE(ABORT, 'a segment never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER segments_delete BEFORE DELETE ON segments BEGIN SELECT RAISE(ABORT, 'a segment never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER segment_ends_update BEFORE UPDATE ON segment_ends BEGIN SELECT RAISE(ABORT, 'a segment never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER segment_ends_delete BEFORE DELETE ON segment_ends BEGIN SELECT RAISE(ABORT, 'a segment never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER kept_entries_update BEFORE UPDATE ON kept_entries BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER kept_entries_delete BEFORE DELETE ON kept_entries BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER retired_update BEFORE UPDATE ON retired BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER retired_delete BEFORE DELETE ON retired BEGIN SELECT RAISE(ABORT, 'what is retired stays so'); END;
-- +goose StatementEnd
