-- Our keys, sealed under the master key file. Old ones stay: entries name them.

-- +goose Up

CREATE TABLE keys (
	id         integer PRIMARY KEY CHECK (id > 0),
	purpose    text NOT NULL,
	valid_from bigint NOT NULL,
	sealed     bytea NOT NULL,
	created    bigint NOT NULL
);
GRANT SELECT, INSERT ON keys TO ofd_service;

CREATE VIEW audit_keys AS SELECT id, purpose, valid_from, created FROM keys;
GRANT SELECT ON audit_keys TO ofd_auditor;

CREATE TRIGGER keys_never BEFORE UPDATE OR DELETE OR TRUNCATE ON keys EXECUTE FUNCTION ofd_refuse('a key never changes');
