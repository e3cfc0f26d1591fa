-- What came in and was not accepted, outside the chains.

-- +goose Up

CREATE TABLE refused (
	id        bigint GENERATED ALWAYS AS IDENTITY,
	register  bigint NOT NULL, -- 0: no such register
	taxpayer  bigint NOT NULL, -- 0: no such register
	day       bigint NOT NULL, -- days since 1970, UTC
	at        bigint NOT NULL,
	partition integer NOT NULL,
	reason    text NOT NULL,
	field     text NOT NULL,
	detail    text NOT NULL,
	peer      text NOT NULL,
	request   bytea NOT NULL,
	PRIMARY KEY (id, partition)
);
CREATE INDEX refused_register_day ON refused (register, day, id);
GRANT SELECT, INSERT ON refused TO ofd_service;
GRANT SELECT ON refused TO ofd_reader;
ALTER TABLE refused ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON refused TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON refused FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());

-- Without request, which holds a token.
CREATE VIEW audit_refused AS SELECT partition, register, taxpayer, day, at, reason, field, detail, peer FROM refused;
GRANT SELECT ON audit_refused TO ofd_auditor;
