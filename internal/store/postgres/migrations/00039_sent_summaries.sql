-- Daily summaries that were handed over to authorities, one by one, and what was
-- said of each. Days are the midnights of registers' clocks. No taxpayer sees
-- any of it.

-- +goose Up

CREATE TABLE sent_summaries (
	register  bigint NOT NULL,
	day       bigint NOT NULL,
	version   bigint NOT NULL, -- 0: a day without documents
	at        bigint NOT NULL, -- microseconds since 1970, UTC
	authority text NOT NULL,
	refused   text NOT NULL,   -- why; '': it was taken
	PRIMARY KEY (authority, register, day, version)
) WITH (fillfactor = 90);
CREATE INDEX sent_summaries_refused ON sent_summaries (authority, day, register) WHERE refused <> '';

GRANT SELECT, INSERT, UPDATE (at, refused) ON sent_summaries TO ofd_service;
GRANT SELECT ON sent_summaries TO ofd_auditor;
CREATE TRIGGER sent_summaries_never BEFORE DELETE OR TRUNCATE ON sent_summaries EXECUTE FUNCTION ofd_refuse('what was sent stays sent');
