-- What each register's documents came to on a day of its clock, one row for the
-- two: made from the journal by the follower "cabinet", dropped and made again
-- by `ofd rebuild`. Of days before this migration there is nothing until then.

-- +goose Up

CREATE TABLE summaries (
	day      INTEGER NOT NULL, -- its midnight
	register INTEGER NOT NULL,
	seq      INTEGER NOT NULL, -- of the last entry that changed it
	body     BLOB NOT NULL,
	UNIQUE (day, register)
) STRICT;

-- The day that a register's last document was counted on.
CREATE TABLE summary_latest (
	register INTEGER PRIMARY KEY,
	day      INTEGER NOT NULL
) STRICT;

-- The highest seq of each day: who has sent a day sees that it changed.
CREATE TABLE summary_days (
	day INTEGER PRIMARY KEY,
	seq INTEGER NOT NULL
) STRICT;
