-- What each register's documents came to on a day of its clock, one row for the
-- two: made from the journal by the follower "cabinet", dropped and made again
-- by `ofd rebuild`. Of days before this migration there is nothing until then.
-- No taxpayer sees any of it: theirs are the days.

-- +goose Up

CREATE TABLE summaries (
	day       bigint NOT NULL, -- its midnight
	register  bigint NOT NULL,
	seq       bigint NOT NULL, -- of the last entry that changed it
	partition integer NOT NULL,
	body      bytea NOT NULL,
	PRIMARY KEY (day, partition, register)
) WITH (fillfactor = 60);

-- The day that a register's last document was counted on.
CREATE TABLE summary_latest (
	register  bigint NOT NULL,
	day       bigint NOT NULL,
	partition integer NOT NULL,
	PRIMARY KEY (register, partition)
) WITH (fillfactor = 70);

-- The highest seq of each day: who has sent a day sees that it changed.
CREATE TABLE summary_days (
	day       bigint NOT NULL,
	seq       bigint NOT NULL,
	partition integer NOT NULL,
	PRIMARY KEY (day, partition)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE (seq, body) ON summaries TO ofd_service;
GRANT SELECT, INSERT, UPDATE (day) ON summary_latest TO ofd_service;
GRANT SELECT, INSERT, UPDATE (seq) ON summary_days TO ofd_service;
GRANT SELECT ON summaries, summary_latest, summary_days TO ofd_auditor;
