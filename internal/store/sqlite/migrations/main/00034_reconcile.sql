-- What follows the end of a day: how far authorities have the summaries, what
-- comparisons with their counts came to, the reports on how data were
-- transmitted. Days are the midnights of registers' clocks.

-- +goose Up

CREATE TABLE summary_positions (
	authority TEXT NOT NULL,
	day       INTEGER NOT NULL,
	partition INTEGER NOT NULL, -- -1: every register was told of
	seq       INTEGER NOT NULL,
	PRIMARY KEY (authority, day, partition)
) STRICT, WITHOUT ROWID;
-- +goose StatementBegin
CREATE TRIGGER summary_positions_back BEFORE UPDATE ON summary_positions WHEN NEW.seq < OLD.seq
BEGIN
	SELECT RAISE(ABORT, 'what was sent stays sent');
END;
-- +goose StatementEnd

CREATE TABLE reconciliations (
	id          INTEGER PRIMARY KEY,
	authority   TEXT NOT NULL,
	day         INTEGER NOT NULL,
	began_at    INTEGER NOT NULL, -- microseconds since 1970, UTC
	ended_at    INTEGER NOT NULL,
	asked_by    TEXT NOT NULL, -- '': the timetable
	registers   INTEGER NOT NULL,
	documents   INTEGER NOT NULL,
	differences INTEGER NOT NULL,
	still       INTEGER NOT NULL, -- of these, after documents were sent again
	resent      INTEGER NOT NULL,
	failure     TEXT NOT NULL,
	found       TEXT NOT NULL CHECK (json_valid(found))
) STRICT;
CREATE INDEX reconciliations_newest ON reconciliations (authority, id);
-- +goose StatementBegin
CREATE TRIGGER reconciliations_update BEFORE UPDATE ON reconciliations BEGIN SELECT RAISE(ABORT, 'what was found stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER reconciliations_delete BEFORE DELETE ON reconciliations BEGIN SELECT RAISE(ABORT, 'what was found stays'); END;
-- +goose StatementEnd

CREATE TABLE day_reports (
	authority TEXT NOT NULL,
	day       INTEGER NOT NULL,
	made_at   INTEGER NOT NULL,
	sent_at   INTEGER NOT NULL DEFAULT 0, -- 0: not yet
	content   TEXT NOT NULL CHECK (json_valid(content)),
	PRIMARY KEY (authority, day)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER day_reports_update BEFORE UPDATE ON day_reports
	WHEN OLD.sent_at <> 0 OR NEW.content <> OLD.content OR NEW.made_at <> OLD.made_at OR NEW.day <> OLD.day OR NEW.authority <> OLD.authority
BEGIN
	SELECT RAISE(ABORT, 'a report stays as it was made');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER day_reports_delete BEFORE DELETE ON day_reports BEGIN SELECT RAISE(ABORT, 'a report stays as it was made'); END;
-- +goose StatementEnd
