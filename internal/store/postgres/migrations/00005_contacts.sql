-- What the last exchanges told of each register's link. NULL is what none of
-- them told. It can be had again, and is no part of the journal.

-- +goose Up

CREATE TABLE contacts (
	register  bigint NOT NULL,
	taxpayer  bigint NOT NULL, -- 0: no such register
	at        bigint NOT NULL, -- microseconds since 1970, UTC
	partition integer NOT NULL,
	peer      text NOT NULL,
	version   integer, -- of the protocol
	quality   json,
	position  json,
	software  text,
	ads       json,
	offline   bigint, -- microseconds
	PRIMARY KEY (partition, register)
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE (at, peer, version, quality, position, software, ads, offline) ON contacts TO ofd_service;
GRANT SELECT ON contacts TO ofd_reader, ofd_auditor;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON contacts TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON contacts FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY auditor ON contacts FOR SELECT TO ofd_auditor USING (true);
