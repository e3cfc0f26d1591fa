-- Applications to the authority: what was asked, what was signed, what became of
-- it; and how far whoever carries them has read the authority's decisions.

-- +goose Up

INSERT INTO counters (name, next) VALUES ('applications', 1);

CREATE TABLE applications (
	id        bigint PRIMARY KEY,
	taxpayer  bigint NOT NULL REFERENCES taxpayers (id),
	register  bigint NOT NULL REFERENCES registers (id),
	version   bigint NOT NULL,
	due       bigint NOT NULL, -- when something is to be done, microseconds since 1970, UTC; 0: nothing
	signed_at bigint NOT NULL, -- 0: not yet
	open      boolean NOT NULL,
	kind      text NOT NULL CHECK (kind IN ('register', 'change', 'deregister')),
	status    text NOT NULL CHECK (status IN ('draft', 'sent', 'waiting', 'registered', 'refused', 'withdrawn')),
	form      json NOT NULL,
	body      json NOT NULL
);
CREATE UNIQUE INDEX applications_open ON applications (register) WHERE open;
CREATE INDEX applications_taxpayer ON applications (taxpayer, id);
CREATE INDEX applications_register ON applications (register, id);
CREATE INDEX applications_due ON applications (due) WHERE due > 0;
GRANT SELECT, INSERT, UPDATE (version, due, signed_at, open, status, form, body) ON applications TO ofd_service;
GRANT SELECT ON applications TO ofd_reader, ofd_auditor;

-- What was signed, with all that proves it.
CREATE TABLE application_papers (
	application bigint PRIMARY KEY REFERENCES applications (id),
	taxpayer    bigint NOT NULL,
	body        json NOT NULL,
	content     bytea NOT NULL, -- the bytes that were signed
	signature   bytea NOT NULL  -- the file, as it came
);
GRANT SELECT, INSERT ON application_papers TO ofd_service;
GRANT SELECT ON application_papers TO ofd_reader, ofd_auditor;

CREATE TABLE application_events (
	application bigint NOT NULL REFERENCES applications (id),
	number      integer NOT NULL, -- within the application, from 1
	taxpayer    bigint NOT NULL,
	body        json NOT NULL,
	PRIMARY KEY (application, number)
);
GRANT SELECT, INSERT ON application_events TO ofd_service;
GRANT SELECT ON application_events TO ofd_reader, ofd_auditor;

CREATE TABLE bookmarks (
	name     text PRIMARY KEY,
	place    text NOT NULL,
	moved_at bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE (place, moved_at) ON bookmarks TO ofd_service;

ALTER TABLE applications ENABLE ROW LEVEL SECURITY;
ALTER TABLE application_papers ENABLE ROW LEVEL SECURITY;
ALTER TABLE application_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON applications TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON application_papers TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON application_events TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON applications FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON application_papers FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON application_events FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY auditor ON applications FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON application_papers FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON application_events FOR SELECT TO ofd_auditor USING (true);

CREATE TRIGGER applications_signed BEFORE UPDATE ON applications FOR EACH ROW
	WHEN (OLD.status <> 'draft' AND NEW.form::text <> OLD.form::text OR OLD.signed_at <> 0 AND NEW.signed_at <> OLD.signed_at OR
		(NEW.id, NEW.taxpayer, NEW.register, NEW.kind) <> (OLD.id, OLD.taxpayer, OLD.register, OLD.kind))
	EXECUTE FUNCTION ofd_refuse('what was signed stays');
CREATE TRIGGER applications_decided BEFORE UPDATE ON applications FOR EACH ROW
	WHEN (OLD.status IN ('registered', 'refused', 'withdrawn') AND (NEW.status <> OLD.status OR
		NEW.body::jsonb - ARRAY['applied_at', 'tries', 'last_error', 'next_try', 'changed'] <> OLD.body::jsonb - ARRAY['applied_at', 'tries', 'last_error', 'next_try', 'changed']))
	EXECUTE FUNCTION ofd_refuse('what was decided stays');
CREATE TRIGGER applications_never BEFORE DELETE OR TRUNCATE ON applications EXECUTE FUNCTION ofd_refuse('applications stay');
CREATE TRIGGER application_papers_never BEFORE UPDATE OR DELETE OR TRUNCATE ON application_papers EXECUTE FUNCTION ofd_refuse('what was signed stays');
CREATE TRIGGER application_events_never BEFORE UPDATE OR DELETE OR TRUNCATE ON application_events EXECUTE FUNCTION ofd_refuse('what happened stays');
