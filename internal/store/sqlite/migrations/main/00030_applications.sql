-- Applications to the authority: what was asked, what was signed, what became of
-- it; and how far whoever carries them has read the authority's decisions.

-- +goose Up

CREATE TABLE applications (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	taxpayer  INTEGER NOT NULL REFERENCES taxpayers (id),
	register  INTEGER NOT NULL REFERENCES registers (id),
	version   INTEGER NOT NULL,
	due       INTEGER NOT NULL, -- when something is to be done, microseconds since 1970, UTC; 0: nothing
	signed_at INTEGER NOT NULL, -- 0: not yet
	open      INTEGER NOT NULL CHECK (open IN (0, 1)),
	kind      TEXT NOT NULL CHECK (kind IN ('register', 'change', 'deregister')),
	status    TEXT NOT NULL CHECK (status IN ('draft', 'sent', 'waiting', 'registered', 'refused', 'withdrawn')),
	form      TEXT NOT NULL CHECK (json_valid(form)),
	body      TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE UNIQUE INDEX applications_open ON applications (register) WHERE open = 1;
CREATE INDEX applications_taxpayer ON applications (taxpayer, id);
CREATE INDEX applications_register ON applications (register, id);
CREATE INDEX applications_due ON applications (due) WHERE due > 0;

-- What was signed, with all that proves it.
CREATE TABLE application_papers (
	application INTEGER PRIMARY KEY REFERENCES applications (id),
	taxpayer    INTEGER NOT NULL,
	body        TEXT NOT NULL CHECK (json_valid(body)),
	content     BLOB NOT NULL, -- the bytes that were signed
	signature   BLOB NOT NULL  -- the file, as it came
) STRICT;

CREATE TABLE application_events (
	application INTEGER NOT NULL REFERENCES applications (id),
	number      INTEGER NOT NULL, -- within the application, from 1
	taxpayer    INTEGER NOT NULL,
	body        TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (application, number)
) STRICT;

CREATE TABLE bookmarks (
	name     TEXT PRIMARY KEY,
	place    TEXT NOT NULL,
	moved_at INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER applications_signed BEFORE UPDATE ON applications WHEN OLD.status <> 'draft' AND NEW.form <> OLD.form OR
	NEW.id <> OLD.id OR NEW.taxpayer <> OLD.taxpayer OR NEW.register <> OLD.register OR NEW.kind <> OLD.kind OR OLD.signed_at <> 0 AND NEW.signed_at <> OLD.signed_at
BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER applications_decided BEFORE UPDATE ON applications WHEN OLD.status IN ('registered', 'refused', 'withdrawn') AND (NEW.status <> OLD.status OR
	json_remove(NEW.body, '$.applied_at', '$.tries', '$.last_error', '$.next_try', '$.changed') <> json_remove(OLD.body, '$.applied_at', '$.tries', '$.last_error', '$.next_try', '$.changed'))
BEGIN SELECT RAISE(ABORT, 'what was decided stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER applications_delete BEFORE DELETE ON applications BEGIN SELECT RAISE(ABORT, 'applications stay'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER application_papers_update BEFORE UPDATE ON application_papers BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER application_papers_delete BEFORE DELETE ON application_papers BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER application_events_update BEFORE UPDATE ON application_events BEGIN SELECT RAISE(ABORT, 'what happened stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER application_events_delete BEFORE DELETE ON application_events BEGIN SELECT RAISE(ABORT, 'what happened stays'); END;
-- +goose StatementEnd
