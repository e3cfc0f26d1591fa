-- The till's own file: who sells, on which registers, and what they made.

-- +goose Up

CREATE TABLE accounts (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	email TEXT NOT NULL UNIQUE,
	body  TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

-- Letters with codes, for addresses whether anybody has them or not.
CREATE TABLE codes (
	email TEXT PRIMARY KEY,
	body  TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TABLE cashiers (
	account INTEGER NOT NULL REFERENCES accounts (id),
	code    INTEGER NOT NULL,
	body    TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (account, code)
) STRICT;

-- A register by the number that its operator gave it. The memory is device/kkm's.
CREATE TABLE registers (
	id      INTEGER PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES accounts (id),
	body    TEXT NOT NULL CHECK (json_valid(body)),
	memory  BLOB NOT NULL
) STRICT;
CREATE INDEX registers_account ON registers (account);

-- What was made. A document never changes but in what its operator made of it.
CREATE TABLE documents (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	register INTEGER NOT NULL REFERENCES registers (id),
	number   INTEGER NOT NULL, -- as printed; 0 of an X report
	made     INTEGER NOT NULL, -- seconds of the register's clock
	shift    INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	draft    TEXT, -- by which its device asked for it
	fate     TEXT NOT NULL,
	body     TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE UNIQUE INDEX documents_draft ON documents (register, draft) WHERE draft IS NOT NULL;
CREATE INDEX documents_number ON documents (register, number);
CREATE INDEX documents_made ON documents (register, made, id);
CREATE INDEX documents_shift ON documents (register, shift, id);

-- Documents that no answer has settled yet, oldest first.
CREATE TABLE waiting (
	register INTEGER NOT NULL REFERENCES registers (id),
	place    INTEGER NOT NULL,
	document INTEGER REFERENCES documents (id),
	body     BLOB NOT NULL,
	PRIMARY KEY (register, place)
) STRICT;

CREATE TABLE goods (
	account INTEGER NOT NULL REFERENCES accounts (id),
	id      INTEGER NOT NULL,
	name    TEXT NOT NULL,
	barcode TEXT NOT NULL,
	body    TEXT NOT NULL CHECK (json_valid(body)),
	PRIMARY KEY (account, id)
) STRICT;
CREATE INDEX goods_barcode ON goods (account, barcode);

-- +goose StatementBegin
CREATE TRIGGER documents_update BEFORE UPDATE OF register, number, made, shift, kind ON documents
BEGIN SELECT RAISE(ABORT, 'what was made stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_delete BEFORE DELETE ON documents BEGIN SELECT RAISE(ABORT, 'what was made stays'); END;
-- +goose StatementEnd
