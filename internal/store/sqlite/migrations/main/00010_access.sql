-- Who may see what: people, codes sent to them, sessions, their places in
-- organizations, and the chains of what they did. Secrets are hashed or sealed.

-- +goose Up

CREATE TABLE users (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	email   TEXT NOT NULL UNIQUE,
	version INTEGER NOT NULL,
	body    TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TABLE codes (
	purpose TEXT NOT NULL,
	email   TEXT NOT NULL,
	body    TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (purpose, email)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
	id      BLOB PRIMARY KEY, -- of the token, SHA-256
	user_id INTEGER NOT NULL REFERENCES users (id),
	seen    INTEGER NOT NULL, -- microseconds since 1970, UTC
	ends    INTEGER NOT NULL,
	body    TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id, seen);
CREATE INDEX sessions_ends ON sessions (ends);

CREATE TABLE members (
	user_id  INTEGER NOT NULL REFERENCES users (id),
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	body     TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (user_id, taxpayer)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_taxpayer ON members (taxpayer, user_id);

CREATE TABLE invitations (
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	email    TEXT NOT NULL,
	body     TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (taxpayer, email)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_email ON invitations (email);

-- A chain for each organization; taxpayer 0 is that of no organization.
CREATE TABLE audit (
	taxpayer INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	at       INTEGER NOT NULL, -- microseconds since 1970, UTC
	user_id  INTEGER NOT NULL, -- 0: nobody known
	who      TEXT NOT NULL,
	address  TEXT NOT NULL,
	act      TEXT NOT NULL,
	object   TEXT NOT NULL,
	detail   TEXT NOT NULL,
	prev     BLOB NOT NULL,
	hash     BLOB NOT NULL,
	PRIMARY KEY (taxpayer, seq)
) STRICT;
CREATE INDEX audit_user ON audit (user_id, seq) WHERE taxpayer = 0;

-- +goose StatementBegin
CREATE TRIGGER users_delete BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'a person who did something stays; they can be shut out'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_email BEFORE UPDATE ON users WHEN NEW.id <> OLD.id OR NEW.email <> OLD.email OR NEW.version <= OLD.version BEGIN SELECT RAISE(ABORT, 'a person stays who they are'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'what was done stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'what was done stays'); END;
-- +goose StatementEnd
