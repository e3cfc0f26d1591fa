-- What follows the end of a day: how far authorities have the summaries, what
-- comparisons with their counts came to, the reports on how data were
-- transmitted. Days are the midnights of registers' clocks. No taxpayer sees any
-- of it.

-- +goose Up

CREATE TABLE summary_positions (
	day       bigint NOT NULL,
	seq       bigint NOT NULL,
	partition integer NOT NULL, -- -1: every register was told of
	authority text NOT NULL,
	PRIMARY KEY (authority, day, partition)
) WITH (fillfactor = 70);

CREATE TABLE reconciliations (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	day         bigint NOT NULL,
	began_at    bigint NOT NULL, -- microseconds since 1970, UTC
	ended_at    bigint NOT NULL,
	documents   bigint NOT NULL,
	registers   bigint NOT NULL,
	differences bigint NOT NULL,
	still       bigint NOT NULL, -- of these, after documents were sent again
	resent      bigint NOT NULL,
	authority   text NOT NULL,
	asked_by    text NOT NULL, -- '': the timetable
	failure     text NOT NULL,
	found       json NOT NULL
);
CREATE INDEX reconciliations_newest ON reconciliations (authority, id);

CREATE TABLE day_reports (
	day       bigint NOT NULL,
	made_at   bigint NOT NULL,
	sent_at   bigint NOT NULL DEFAULT 0, -- 0: not yet
	authority text NOT NULL,
	content   text NOT NULL,
	PRIMARY KEY (authority, day)
);

GRANT SELECT, INSERT, UPDATE (seq) ON summary_positions TO ofd_service;
GRANT SELECT, INSERT ON reconciliations TO ofd_service;
GRANT SELECT, INSERT, UPDATE (sent_at) ON day_reports TO ofd_service;
GRANT SELECT ON summary_positions, reconciliations, day_reports TO ofd_auditor;

CREATE TRIGGER summary_positions_back AFTER UPDATE ON summary_positions FOR EACH ROW
	WHEN (NEW.seq < OLD.seq) EXECUTE FUNCTION ofd_refuse('what was sent stays sent');
CREATE TRIGGER reconciliations_never BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliations EXECUTE FUNCTION ofd_refuse('what was found stays');
CREATE TRIGGER day_reports_never BEFORE DELETE OR TRUNCATE ON day_reports EXECUTE FUNCTION ofd_refuse('a report stays as it was made');
CREATE TRIGGER day_reports_update AFTER UPDATE ON day_reports FOR EACH ROW
	WHEN (OLD.sent_at <> 0 OR NEW.content <> OLD.content OR NEW.made_at <> OLD.made_at OR NEW.day <> OLD.day OR NEW.authority <> OLD.authority)
	EXECUTE FUNCTION ofd_refuse('a report stays as it was made');
