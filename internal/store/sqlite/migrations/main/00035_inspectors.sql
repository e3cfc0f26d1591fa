-- Inspectors of authorities: the grounds on which they look, and every look.

-- +goose Up

CREATE INDEX users_inspectors ON users (id) WHERE json_extract(body, '$.inspector') IS NOT NULL;

CREATE TABLE inspections (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id INTEGER NOT NULL REFERENCES users (id),
	opened  INTEGER NOT NULL, -- microseconds since 1970, UTC
	closed  INTEGER NOT NULL DEFAULT 0, -- likewise; 0: open
	looks   INTEGER NOT NULL DEFAULT 0,
	body    TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX inspections_user ON inspections (user_id, id);

CREATE TABLE inspection_looks (
	inspection INTEGER NOT NULL REFERENCES inspections (id),
	n          INTEGER NOT NULL, -- from 1, gapless
	at         INTEGER NOT NULL,
	taxpayer   INTEGER NOT NULL, -- 0: a search
	act        TEXT NOT NULL,
	object     TEXT NOT NULL,
	address    TEXT NOT NULL,
	PRIMARY KEY (inspection, n)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER inspections_delete BEFORE DELETE ON inspections BEGIN SELECT RAISE(ABORT, 'a ground stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER inspections_stay BEFORE UPDATE ON inspections WHEN NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.opened <> OLD.opened OR NEW.body <> OLD.body OR NEW.looks < OLD.looks OR OLD.closed <> 0
BEGIN SELECT RAISE(ABORT, 'a ground stays what it was'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER inspection_looks_update BEFORE UPDATE ON inspection_looks BEGIN SELECT RAISE(ABORT, 'what was seen stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER inspection_looks_delete BEFORE DELETE ON inspection_looks BEGIN SELECT RAISE(ABORT, 'what was seen stays'); END;
-- +goose StatementEnd
