-- Daily summaries that were handed over to authorities, one by one, and what was
-- said of each. Days are the midnights of registers' clocks.

-- +goose Up

CREATE TABLE sent_summaries (
	authority TEXT NOT NULL,
	register  INTEGER NOT NULL,
	day       INTEGER NOT NULL,
	version   INTEGER NOT NULL, -- 0: a day without documents
	at        INTEGER NOT NULL, -- microseconds since 1970, UTC
	refused   TEXT NOT NULL,    -- why; '': it was taken
	PRIMARY KEY (authority, register, day, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_summaries_refused ON sent_summaries (authority, day, register) WHERE refused <> '';
-- +goose StatementBegin
CREATE TRIGGER sent_summaries_delete BEFORE DELETE ON sent_summaries BEGIN SELECT RAISE(ABORT, 'what was sent stays sent'); END;
-- +goose StatementEnd
