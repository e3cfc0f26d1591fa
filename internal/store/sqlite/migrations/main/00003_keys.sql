-- Our keys, sealed under the master key file. Old ones stay: entries name them.

-- +goose Up

CREATE TABLE keys (
	id         INTEGER PRIMARY KEY CHECK (id > 0),
	purpose    TEXT NOT NULL,
	valid_from INTEGER NOT NULL,
	sealed     BLOB NOT NULL,
	created    INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER keys_update BEFORE UPDATE ON keys BEGIN SELECT RAISE(ABORT, 'a key never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER keys_delete BEFORE DELETE ON keys BEGIN SELECT RAISE(ABORT, 'a key never changes'); END;
-- +goose StatementEnd
