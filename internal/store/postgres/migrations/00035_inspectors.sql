-- Inspectors of authorities: the grounds on which they look, and every look.

-- +goose Up

INSERT INTO counters (name, next) VALUES ('inspections', 1);

CREATE INDEX users_inspectors ON users (id) WHERE (body -> 'inspector') IS NOT NULL;

CREATE TABLE inspections (
	id      bigint PRIMARY KEY,
	user_id bigint NOT NULL REFERENCES users (id),
	opened  bigint NOT NULL, -- microseconds since 1970, UTC
	closed  bigint NOT NULL DEFAULT 0, -- likewise; 0: open
	looks   bigint NOT NULL DEFAULT 0,
	body    json NOT NULL
);
CREATE INDEX inspections_user ON inspections (user_id, id);
GRANT SELECT, INSERT, UPDATE (closed, looks) ON inspections TO ofd_service;
GRANT SELECT ON inspections TO ofd_auditor;

CREATE TABLE inspection_looks (
	inspection bigint NOT NULL REFERENCES inspections (id),
	n          bigint NOT NULL, -- from 1, gapless
	at         bigint NOT NULL,
	taxpayer   bigint NOT NULL, -- 0: a search
	act        text NOT NULL,
	object     text NOT NULL,
	address    text NOT NULL,
	PRIMARY KEY (inspection, n)
);
GRANT SELECT, INSERT ON inspection_looks TO ofd_service;
GRANT SELECT ON inspection_looks TO ofd_auditor;

CREATE TRIGGER inspections_never BEFORE DELETE OR TRUNCATE ON inspections EXECUTE FUNCTION ofd_refuse('a ground stays');
CREATE TRIGGER inspections_stay BEFORE UPDATE ON inspections FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.opened <> OLD.opened OR NEW.body::text <> OLD.body::text OR NEW.looks < OLD.looks OR OLD.closed <> 0) EXECUTE FUNCTION ofd_refuse('a ground stays what it was');
CREATE TRIGGER inspection_looks_never BEFORE UPDATE OR DELETE OR TRUNCATE ON inspection_looks EXECUTE FUNCTION ofd_refuse('what was seen stays');
