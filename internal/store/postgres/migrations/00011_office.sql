-- What people keep of their organization beside its registers: contracts with
-- all that proves them, and groups of registers.

-- +goose Up

INSERT INTO counters (name, next) VALUES ('contracts', 1), ('register_groups', 1);

CREATE TABLE contracts (
	id        bigint PRIMARY KEY,
	taxpayer  bigint NOT NULL REFERENCES taxpayers (id),
	at        bigint NOT NULL, -- microseconds since 1970, UTC
	body      json NOT NULL,
	content   bytea NOT NULL, -- the bytes that were signed
	signature bytea NOT NULL  -- the file, as it came
);
CREATE INDEX contracts_taxpayer ON contracts (taxpayer, id);
GRANT SELECT, INSERT ON contracts TO ofd_service;
GRANT SELECT ON contracts TO ofd_reader, ofd_auditor;

CREATE TABLE register_groups (
	id       bigint PRIMARY KEY,
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	body     json NOT NULL
);
CREATE INDEX register_groups_taxpayer ON register_groups (taxpayer);
GRANT SELECT, INSERT, DELETE, UPDATE (body) ON register_groups TO ofd_service;
GRANT SELECT ON register_groups TO ofd_reader;

CREATE TABLE grouped_registers (
	register bigint PRIMARY KEY REFERENCES registers (id),
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	group_id bigint NOT NULL REFERENCES register_groups (id)
);
CREATE INDEX grouped_registers_taxpayer ON grouped_registers (taxpayer);
GRANT SELECT, INSERT, DELETE, UPDATE (group_id) ON grouped_registers TO ofd_service;
GRANT SELECT ON grouped_registers TO ofd_reader;

-- What may change of an organization and its outlets.
GRANT UPDATE (body) ON taxpayers, outlets TO ofd_service;

ALTER TABLE contracts ENABLE ROW LEVEL SECURITY;
ALTER TABLE register_groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE grouped_registers ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON contracts TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON register_groups TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON grouped_registers TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON contracts FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON register_groups FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON grouped_registers FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY auditor ON contracts FOR SELECT TO ofd_auditor USING (true);

CREATE TRIGGER contracts_never BEFORE UPDATE OR DELETE OR TRUNCATE ON contracts EXECUTE FUNCTION ofd_refuse('what was signed stays');
