-- Who may speak: taxpayers, outlets, registers, the numbers that lead to them,
-- cashiers, catalogs of goods.

-- +goose Up

-- The next IDs of what people type. A sequence would leave a gap behind each
-- failure all the same, and could not step over an ID that was chosen.
CREATE TABLE counters (
	name text PRIMARY KEY,
	next bigint NOT NULL
);
INSERT INTO counters (name, next) VALUES ('registers', 200001), ('taxpayers', 1), ('outlets', 1);
GRANT SELECT, UPDATE (next) ON counters TO ofd_service;

CREATE TABLE taxpayers (
	id        bigint PRIMARY KEY,
	partition integer NOT NULL,
	country   text NOT NULL,
	xin       text NOT NULL,
	body      json NOT NULL,
	UNIQUE (country, xin)
);
GRANT SELECT, INSERT ON taxpayers TO ofd_service;
GRANT SELECT ON taxpayers TO ofd_reader, ofd_auditor;

CREATE TABLE outlets (
	id       bigint PRIMARY KEY,
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	body     json NOT NULL
);
CREATE INDEX outlets_taxpayer ON outlets (taxpayer, id);
GRANT SELECT, INSERT ON outlets TO ofd_service;
GRANT SELECT ON outlets TO ofd_reader, ofd_auditor;

CREATE TABLE registers (
	id        bigint PRIMARY KEY CHECK (id > 0),
	partition integer NOT NULL,
	taxpayer  bigint NOT NULL REFERENCES taxpayers (id),
	outlet    bigint REFERENCES outlets (id), -- NULL: none
	model     text NOT NULL,
	serial    text NOT NULL,
	created   bigint NOT NULL
);
-- Not unique: a device that was taken off the record and sold may come again.
CREATE INDEX registers_serial ON registers (model, serial) WHERE serial <> '';
CREATE INDEX registers_taxpayer ON registers (taxpayer, id);
GRANT SELECT, INSERT ON registers TO ofd_service;
GRANT SELECT ON registers TO ofd_reader, ofd_auditor;

-- Numbers that lead to registers. Old ones stay, for old receipts bear them.
CREATE TABLE directory (
	kind      text NOT NULL,
	name      text NOT NULL,
	partition integer NOT NULL,
	register  bigint NOT NULL,
	taxpayer  bigint NOT NULL,
	created   bigint NOT NULL,
	PRIMARY KEY (kind, name)
);
GRANT SELECT, INSERT ON directory TO ofd_service;
GRANT SELECT ON directory TO ofd_reader, ofd_auditor;

CREATE TABLE cashiers (
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	login    text NOT NULL,
	hash     text NOT NULL,
	code     bigint NOT NULL,
	name     text NOT NULL,
	roles    bytea NOT NULL, -- a byte each
	PRIMARY KEY (taxpayer, login)
);
GRANT SELECT, INSERT, DELETE, UPDATE (hash, code, name, roles) ON cashiers TO ofd_service;
GRANT SELECT (taxpayer, login, code, name, roles) ON cashiers TO ofd_reader;

-- A catalog is published when it has a row here. Its elements come first, in
-- several transactions, for no transaction may be long.
CREATE TABLE catalogs (
	version bigint PRIMARY KEY CHECK (version > 0),
	created bigint NOT NULL -- seconds, as the catalog says
);
CREATE TABLE catalog_elements (
	version bigint NOT NULL,
	place   integer NOT NULL, -- from 0, as published
	barcode text NOT NULL,
	ntin    text NOT NULL,
	body    json NOT NULL,
	PRIMARY KEY (version, place)
);
CREATE INDEX catalog_elements_barcode ON catalog_elements (version, barcode) WHERE barcode <> '';
CREATE INDEX catalog_elements_ntin ON catalog_elements (version, ntin) WHERE ntin <> '';
GRANT SELECT, INSERT ON catalogs, catalog_elements TO ofd_service;
GRANT SELECT ON catalogs, catalog_elements TO ofd_reader, ofd_auditor;

ALTER TABLE taxpayers ENABLE ROW LEVEL SECURITY;
ALTER TABLE outlets ENABLE ROW LEVEL SECURITY;
ALTER TABLE registers ENABLE ROW LEVEL SECURITY;
ALTER TABLE directory ENABLE ROW LEVEL SECURITY;
ALTER TABLE cashiers ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON taxpayers TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON outlets TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON registers TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON directory TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON cashiers TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON taxpayers FOR SELECT TO ofd_reader USING (id = ofd_taxpayer());
CREATE POLICY reader ON outlets FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON registers FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON directory FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON cashiers FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY auditor ON taxpayers FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON outlets FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON registers FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON directory FOR SELECT TO ofd_auditor USING (true);

-- Two questions that the reader may ask before it knows whose rows it reads:
-- where a number printed on a receipt leads, and whose a register is.
-- +goose StatementBegin
CREATE FUNCTION ofd_find(kind text, name text, OUT partition integer, OUT register bigint) RETURNS SETOF record
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
	$$ SELECT d.partition, d.register FROM public.directory d WHERE d.kind = $1 AND d.name = $2 $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION ofd_taxpayer_of(register bigint) RETURNS bigint
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
	$$ SELECT r.taxpayer FROM public.registers r WHERE r.id = $1 $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION ofd_find(text, text), ofd_taxpayer_of(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ofd_find(text, text), ofd_taxpayer_of(bigint) TO ofd_reader;

CREATE TRIGGER counters_never BEFORE DELETE OR TRUNCATE ON counters EXECUTE FUNCTION ofd_refuse('an ID never comes again');
CREATE TRIGGER counters_back BEFORE UPDATE ON counters FOR EACH ROW WHEN (NEW.next < OLD.next OR NEW.name <> OLD.name) EXECUTE FUNCTION ofd_refuse('an ID never comes again');
CREATE TRIGGER taxpayers_never BEFORE DELETE OR TRUNCATE ON taxpayers EXECUTE FUNCTION ofd_refuse('a taxpayer never goes away');
CREATE TRIGGER taxpayers_stay BEFORE UPDATE ON taxpayers FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.partition <> OLD.partition) EXECUTE FUNCTION ofd_refuse('a taxpayer stays where it is');
CREATE TRIGGER outlets_never BEFORE DELETE OR TRUNCATE ON outlets EXECUTE FUNCTION ofd_refuse('an outlet never goes away');
CREATE TRIGGER registers_never BEFORE UPDATE OR DELETE OR TRUNCATE ON registers EXECUTE FUNCTION ofd_refuse('a register stays what it is; its card changes');
CREATE TRIGGER directory_never BEFORE UPDATE OR DELETE OR TRUNCATE ON directory EXECUTE FUNCTION ofd_refuse('a number leads to one register for ever');
CREATE TRIGGER catalogs_never BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogs EXECUTE FUNCTION ofd_refuse('a published catalog never changes');
CREATE TRIGGER catalog_elements_never BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog_elements EXECUTE FUNCTION ofd_refuse('a published catalog never changes');
