-- How far each follower got whose tables lie in this file.

-- +goose Up

CREATE TABLE cursors (
	follower   TEXT NOT NULL,
	generation INTEGER NOT NULL,
	partition  INTEGER NOT NULL,
	seq        INTEGER NOT NULL CHECK (seq >= 0), -- the last entry followed
	moved_at   INTEGER NOT NULL,
	failed_seq INTEGER NOT NULL DEFAULT 0, -- 0: the last attempt went well
	failed_at  INTEGER NOT NULL DEFAULT 0,
	failure    TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (follower, generation, partition)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER cursors_back BEFORE UPDATE ON cursors WHEN NEW.seq < OLD.seq
BEGIN
	SELECT RAISE(ABORT, 'a cursor never goes back');
END;
-- +goose StatementEnd
