-- Who may speak: taxpayers, outlets, registers, the numbers that lead to them,
-- cashiers, catalogs of goods.

-- +goose Up

CREATE TABLE taxpayers (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	partition INTEGER NOT NULL REFERENCES heads (partition),
	country   TEXT NOT NULL,
	xin       TEXT NOT NULL,
	body      TEXT NOT NULL CHECK (json_valid(body)),
	UNIQUE (country, xin)
) STRICT;

CREATE TABLE outlets (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	body     TEXT NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX outlets_taxpayer ON outlets (taxpayer);

CREATE TABLE registers (
	id        INTEGER PRIMARY KEY CHECK (id > 0),
	partition INTEGER NOT NULL REFERENCES heads (partition),
	taxpayer  INTEGER NOT NULL REFERENCES taxpayers (id),
	outlet    INTEGER REFERENCES outlets (id), -- NULL: none
	model     TEXT NOT NULL,
	serial    TEXT NOT NULL,
	created   INTEGER NOT NULL
) STRICT;
-- Not unique: a device that was taken off the record and sold may come again.
CREATE INDEX registers_serial ON registers (model, serial) WHERE serial <> '';
CREATE INDEX registers_taxpayer ON registers (taxpayer);

-- Numbers that lead to registers. Old ones stay, for old receipts bear them.
CREATE TABLE directory (
	kind      TEXT NOT NULL,
	name      TEXT NOT NULL,
	partition INTEGER NOT NULL REFERENCES heads (partition),
	register  INTEGER NOT NULL REFERENCES registers (id),
	created   INTEGER NOT NULL,
	PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE cashiers (
	taxpayer INTEGER NOT NULL REFERENCES taxpayers (id),
	login    TEXT NOT NULL,
	hash     TEXT NOT NULL,
	code     INTEGER NOT NULL,
	name     TEXT NOT NULL,
	roles    BLOB NOT NULL, -- a byte each
	PRIMARY KEY (taxpayer, login)
) STRICT, WITHOUT ROWID;

-- A catalog is published when it has a row here. Its elements come first, in
-- several transactions, for no transaction may be long.
CREATE TABLE catalogs (
	version INTEGER PRIMARY KEY CHECK (version > 0),
	created INTEGER NOT NULL -- seconds, as the catalog says
) STRICT;

CREATE TABLE catalog_elements (
	version INTEGER NOT NULL,
	place   INTEGER NOT NULL, -- from 0, as published
	barcode TEXT NOT NULL,
	ntin    TEXT NOT NULL,
	body    TEXT NOT NULL CHECK (json_valid(body)),
	UNIQUE (version, place)
) STRICT;
CREATE INDEX catalog_elements_barcode ON catalog_elements (version, barcode) WHERE barcode <> '';
CREATE INDEX catalog_elements_ntin ON catalog_elements (version, ntin) WHERE ntin <> '';

-- +goose StatementBegin
CREATE TRIGGER taxpayers_delete BEFORE DELETE ON taxpayers BEGIN SELECT RAISE(ABORT, 'a taxpayer never goes away'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER taxpayers_partition BEFORE UPDATE ON taxpayers WHEN NEW.id <> OLD.id OR NEW.partition <> OLD.partition BEGIN SELECT RAISE(ABORT, 'a taxpayer stays where it is'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outlets_delete BEFORE DELETE ON outlets BEGIN SELECT RAISE(ABORT, 'an outlet never goes away'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER registers_update BEFORE UPDATE ON registers BEGIN SELECT RAISE(ABORT, 'a register stays what it is; its card changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER registers_delete BEFORE DELETE ON registers BEGIN SELECT RAISE(ABORT, 'a register never goes away'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER directory_update BEFORE UPDATE ON directory BEGIN SELECT RAISE(ABORT, 'a number leads to one register for ever'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER directory_delete BEFORE DELETE ON directory BEGIN SELECT RAISE(ABORT, 'a number leads to one register for ever'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogs_update BEFORE UPDATE ON catalogs BEGIN SELECT RAISE(ABORT, 'a published catalog never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogs_delete BEFORE DELETE ON catalogs BEGIN SELECT RAISE(ABORT, 'a published catalog never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalog_elements_update BEFORE UPDATE ON catalog_elements BEGIN SELECT RAISE(ABORT, 'a published catalog never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalog_elements_delete BEFORE DELETE ON catalog_elements BEGIN SELECT RAISE(ABORT, 'a published catalog never changes'); END;
-- +goose StatementEnd
