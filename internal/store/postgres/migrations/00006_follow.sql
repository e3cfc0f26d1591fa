-- Followers: how far each got, who follows what, what delivery sent, and what of
-- it waits for a person. No taxpayer sees any of it.

-- +goose Up

CREATE TABLE cursors (
	seq        bigint NOT NULL CHECK (seq >= 0), -- the last entry followed
	moved_at   bigint NOT NULL,
	failed_seq bigint NOT NULL DEFAULT 0, -- 0: the last attempt went well
	failed_at  bigint NOT NULL DEFAULT 0,
	partition  integer NOT NULL,
	generation integer NOT NULL,
	follower   text NOT NULL,
	failure    text NOT NULL DEFAULT '',
	PRIMARY KEY (partition, follower, generation)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE (seq, moved_at, failed_seq, failed_at, failure) ON cursors TO ofd_service;
GRANT SELECT ON cursors TO ofd_auditor;

-- Which node follows which group of partitions, until when by this server's
-- clock.
CREATE TABLE leases (
	until      timestamptz NOT NULL,
	follower   text NOT NULL,
	generation integer NOT NULL,
	part       integer NOT NULL,
	holder     text NOT NULL,
	PRIMARY KEY (follower, generation, part)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE (holder, until) ON leases TO ofd_service;
GRANT SELECT ON leases TO ofd_auditor;

-- A row for each batch that an authority took.
CREATE TABLE deliveries (
	first_seq bigint NOT NULL,
	last_seq  bigint NOT NULL CHECK (last_seq >= first_seq),
	bytes     bigint NOT NULL,
	sent_at   bigint NOT NULL,
	partition integer NOT NULL,
	documents integer NOT NULL, -- taken
	parked    integer NOT NULL,
	authority text NOT NULL,
	PRIMARY KEY (partition, authority, first_seq)
);
GRANT SELECT, INSERT ON deliveries TO ofd_service;
GRANT SELECT ON deliveries TO ofd_auditor;

CREATE TABLE parked (
	id         bigint GENERATED ALWAYS AS IDENTITY,
	seq        bigint NOT NULL,
	register   bigint NOT NULL,
	number     bigint NOT NULL,
	parked_at  bigint NOT NULL,
	tried_at   bigint NOT NULL DEFAULT 0,
	settled_at bigint NOT NULL DEFAULT 0, -- 0: it waits
	tries      integer NOT NULL DEFAULT 0,
	partition  integer NOT NULL,
	authority  text NOT NULL,
	document   text NOT NULL,
	reason     text NOT NULL,
	detail     text NOT NULL,
	PRIMARY KEY (id, partition),
	UNIQUE (partition, authority, seq)
);
CREATE INDEX parked_waiting ON parked (authority, id) WHERE settled_at = 0;
GRANT SELECT, INSERT, UPDATE (document, reason, detail, tries, tried_at, settled_at) ON parked TO ofd_service;
GRANT SELECT ON parked TO ofd_auditor;

CREATE TRIGGER cursors_back AFTER UPDATE ON cursors FOR EACH ROW
	WHEN (NEW.partition <> OLD.partition OR NEW.seq < OLD.seq) EXECUTE FUNCTION ofd_refuse('a cursor never goes back');
CREATE TRIGGER deliveries_never BEFORE UPDATE OR DELETE OR TRUNCATE ON deliveries EXECUTE FUNCTION ofd_refuse('what was delivered never changes');
CREATE TRIGGER parked_never BEFORE DELETE OR TRUNCATE ON parked EXECUTE FUNCTION ofd_refuse('a parked document is settled, never forgotten');
