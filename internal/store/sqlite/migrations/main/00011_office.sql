-- What people keep of their organization beside its registers: contracts with
-- all that proves them, and groups of registers.

-- +goose Up

CREATE TABLE contracts (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	taxpayer  INTEGER NOT NULL REFERENCES taxpayers (id),
	at        INTEGER NOT NULL, -- microseconds since 1970, UTC
	body      TEXT NOT NULL CHECK (json_valid(body)),
	content   BLOB NOT NULL, -- the bytes that were signed
	signature BLOB NOT NULL  -- the file, as it came
) STRICT;
CREATE INDEX contracts_taxpayer ON contracts (taxpayer, id);

CREATE TABLE register_groups (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	body     TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX register_groups_taxpayer ON register_groups (taxpayer);

CREATE TABLE grouped_registers (
	register INTEGER PRIMARY KEY REFERENCES registers (id),
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	group_id INTEGER NOT NULL REFERENCES register_groups (id)
) STRICT;
CREATE INDEX grouped_registers_taxpayer ON grouped_registers (taxpayer);

-- +goose StatementBegin
CREATE TRIGGER contracts_update BEFORE UPDATE ON contracts BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER contracts_delete BEFORE DELETE ON contracts BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END;
-- +goose StatementEnd
