-- Keys by which programs act for people, and what was answered to requests that
-- they named. Tokens are hashed, answers sealed.

-- +goose Up

CREATE TABLE api_keys (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	hash     BLOB NOT NULL UNIQUE, -- of the token, SHA-256
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	used     INTEGER NOT NULL DEFAULT 0, -- microseconds since 1970, UTC; 0: never
	body     TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX api_keys_taxpayer ON api_keys (taxpayer, id);

CREATE TABLE api_replies (
	key_id INTEGER NOT NULL REFERENCES api_keys (id),
	name   TEXT NOT NULL, -- that the program chose
	began  INTEGER NOT NULL,
	body   TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (key_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_replies_began ON api_replies (began);

-- +goose StatementBegin
CREATE TRIGGER api_keys_delete BEFORE DELETE ON api_keys BEGIN SELECT RAISE(ABORT, 'a key that did something stays; it can be ended'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER api_keys_stay BEFORE UPDATE ON api_keys WHEN NEW.id <> OLD.id OR NEW.hash <> OLD.hash OR NEW.taxpayer <> OLD.taxpayer BEGIN SELECT RAISE(ABORT, 'a key stays whose it is'); END;
-- +goose StatementEnd
