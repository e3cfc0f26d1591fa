-- The journal: what the installation is, the ends of the partitions, entries,
-- states, cards. Times are microseconds since 1970, UTC, unless a comment says
-- otherwise; sums are minor units; unsigned numbers are stored as the signed
-- ones with the same bits.
--
-- Every key begins with the partition or holds it, for on Citus it is the
-- distribution column. Rights stand beside each table: whatever is not granted
-- is refused. Triggers refuse what never happens to anybody, the owner
-- included.

-- +goose Up

GRANT SELECT ON goose_db_version TO ofd_service, ofd_reader, ofd_auditor;

-- +goose StatementBegin
CREATE FUNCTION ofd_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
-- +goose StatementEnd

-- ofd_taxpayer is whose rows the reader's transaction may see: NULL until it is
-- said, and then it sees none.
-- +goose StatementBegin
CREATE FUNCTION ofd_taxpayer() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
	RETURN nullif(current_setting('ofd.taxpayer', true), '')::bigint;
-- +goose StatementEnd

-- Chosen when the installation was made, never changed.
CREATE TABLE installation (
	name  text PRIMARY KEY,
	value text NOT NULL
);
INSERT INTO installation (name, value) VALUES ('partitions', current_setting('ofd.partitions'));
GRANT SELECT ON installation TO ofd_service, ofd_reader, ofd_auditor;

-- The end of each partition. fence counts the fences, so that each of them
-- really writes. Few rows on a page: the committers' locks keep out of each
-- other's way, and a new version of a row finds room beside the old one.
CREATE TABLE heads (
	partition integer PRIMARY KEY,
	seq       bigint NOT NULL,
	month     integer NOT NULL, -- yyyymm
	chain     bytea NOT NULL CHECK (length(chain) = 32),
	fence     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
INSERT INTO heads (partition, seq, month, chain)
	SELECT p, 0, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, current_setting('ofd.partitions')::integer - 1) p;
GRANT SELECT, UPDATE (seq, month, chain, fence) ON heads TO ofd_service;
GRANT SELECT ON heads TO ofd_auditor;

-- A table for each month, opened ahead by ofd_open_month, and no default one:
-- it would stand in the way of detaching a month. The service writes to the
-- month's own table, where the rights are the same and no row security is in
-- the way; the reader knows only this one.
CREATE TABLE entries (
	seq           bigint NOT NULL CHECK (seq > 0),
	register      bigint NOT NULL,
	number        bigint NOT NULL CHECK (number <> 0),
	taxpayer      bigint NOT NULL,
	card_version  bigint NOT NULL,
	flags         bigint NOT NULL,
	device_number bigint NOT NULL, -- 0: none
	device_time   bigint NOT NULL, -- seconds, the device's own clock
	received_at   bigint NOT NULL,
	shift         bigint NOT NULL,
	fiscal_sign   bigint NOT NULL,
	total         bigint NOT NULL,
	cash          bigint NOT NULL,
	cashless      bigint NOT NULL,
	other_paid    bigint NOT NULL,
	tax           bigint NOT NULL,
	refers        bigint NOT NULL, -- 0: none
	carrier       bigint NOT NULL, -- 0: itself
	partition     integer NOT NULL,
	month         integer NOT NULL, -- yyyymm
	sign_key      integer NOT NULL,
	outcome       integer NOT NULL,
	kind          smallint NOT NULL,
	operation     smallint NOT NULL,
	codec         smallint NOT NULL,
	format        text NOT NULL,
	drive         text NOT NULL,
	salt          bytea NOT NULL CHECK (length(salt) = 16),
	digest        bytea NOT NULL CHECK (length(digest) = 32),
	hash          bytea NOT NULL CHECK (length(hash) = 32),
	chain         bytea NOT NULL CHECK (length(chain) = 32),
	request       bytea NOT NULL,
	answer        bytea NOT NULL,
	PRIMARY KEY (partition, seq, month)
) PARTITION BY RANGE (month);
CREATE INDEX entries_device_number ON entries (partition, register, device_number) WHERE device_number <> 0;
GRANT SELECT, INSERT ON entries TO ofd_service;
GRANT SELECT ON entries TO ofd_reader;

-- What the exchanges made of a register. The row is written anew with each of
-- them, so it also carries the places of the register's latest entries, until
-- they fill a row of numbers: 8 bytes each, big-endian, 6 of seq and 2 of month
-- less 200000. They lead to an entry without an index over all of them, which
-- would have a page of its own to write for nearly every receipt, and they name
-- the month, so that only its table is looked into.
CREATE TABLE states (
	register  bigint NOT NULL,
	taxpayer  bigint NOT NULL,
	version   bigint NOT NULL,
	number    bigint NOT NULL, -- of the last entry, 0: none
	partition integer NOT NULL,
	state     bytea NOT NULL,
	latest    bytea NOT NULL DEFAULT '',
	PRIMARY KEY (partition, register)
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE (version, number, state, latest) ON states TO ofd_service;
GRANT SELECT ON states TO ofd_reader;

-- The places of 32 entries to a row. Numbers 1 to 32 are in run 0.
CREATE TABLE numbers (
	register  bigint NOT NULL,
	run       bigint NOT NULL CHECK (run >= 0),
	taxpayer  bigint NOT NULL,
	partition integer NOT NULL,
	places    bytea NOT NULL CHECK (length(places) = 256),
	PRIMARY KEY (partition, register, run)
);
GRANT SELECT, INSERT ON numbers TO ofd_service;
GRANT SELECT ON numbers TO ofd_reader;

-- What the registry says of a register, each change a new version.
CREATE TABLE cards (
	register  bigint NOT NULL,
	version   bigint NOT NULL CHECK (version > 0),
	taxpayer  bigint NOT NULL,
	partition integer NOT NULL,
	body      json NOT NULL,
	PRIMARY KEY (register, version, partition)
);
GRANT SELECT, INSERT ON cards TO ofd_service;
GRANT SELECT ON cards TO ofd_reader;

-- Whose rows they are. The service sees all.
ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE states ENABLE ROW LEVEL SECURITY;
ALTER TABLE numbers ENABLE ROW LEVEL SECURITY;
ALTER TABLE cards ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON entries TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON states TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON numbers TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON cards TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON entries FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON states FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON numbers FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON cards FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());

-- What an auditor sees of entries. Without request and answer: the bytes hold
-- the register's tokens, which cannot be cut out of them. digest stands for
-- them, and both chains can be followed.
CREATE VIEW audit_entries AS SELECT partition, seq, month, register, number, taxpayer, card_version, format, kind, outcome, flags,
	drive, device_number, device_time, received_at, shift, fiscal_sign, sign_key, operation, total, cash, cashless, other_paid,
	tax, refers, carrier, codec, digest, hash, chain, length(request) AS request_bytes, length(answer) AS answer_bytes FROM entries;
COMMENT ON VIEW audit_entries IS 'entries without request, answer and salt: the bytes hold tokens';
-- Without state, which holds the register's present token.
CREATE VIEW audit_states AS SELECT partition, register, taxpayer, version, number FROM states;
COMMENT ON VIEW audit_states IS 'states without the state itself, which holds the token';
CREATE VIEW audit_cards AS SELECT partition, register, version, taxpayer, body FROM cards;
GRANT SELECT ON audit_entries, audit_states, audit_cards TO ofd_auditor;

CREATE TRIGGER installation_never BEFORE UPDATE OR DELETE OR TRUNCATE ON installation EXECUTE FUNCTION ofd_refuse('the installation never changes');
CREATE TRIGGER heads_never BEFORE DELETE OR TRUNCATE ON heads EXECUTE FUNCTION ofd_refuse('a partition never ends');
-- After, not before: a trigger before an update would lock each row once more.
CREATE TRIGGER heads_back AFTER UPDATE ON heads FOR EACH ROW
	WHEN (NEW.partition <> OLD.partition OR NEW.seq < OLD.seq OR NEW.month < OLD.month OR NEW.fence < OLD.fence OR NEW.seq = OLD.seq AND NEW.chain <> OLD.chain)
	EXECUTE FUNCTION ofd_refuse('a partition never goes back');
-- The row's own trigger is passed on to each month; the statement's is not, and
-- ofd_open_month makes it there.
CREATE TRIGGER entries_never BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION ofd_refuse('entries never change');
CREATE TRIGGER entries_none BEFORE UPDATE OR DELETE OR TRUNCATE ON entries EXECUTE FUNCTION ofd_refuse('entries never change');
CREATE TRIGGER states_never BEFORE DELETE OR TRUNCATE ON states EXECUTE FUNCTION ofd_refuse('a register never goes away');
CREATE TRIGGER states_back AFTER UPDATE ON states FOR EACH ROW
	WHEN (NEW.register <> OLD.register OR NEW.partition <> OLD.partition OR NEW.taxpayer <> OLD.taxpayer OR NEW.version <= OLD.version OR NEW.number < OLD.number)
	EXECUTE FUNCTION ofd_refuse('a register never goes back');
CREATE TRIGGER numbers_never BEFORE UPDATE OR DELETE OR TRUNCATE ON numbers EXECUTE FUNCTION ofd_refuse('entries never move');
CREATE TRIGGER cards_never BEFORE UPDATE OR DELETE OR TRUNCATE ON cards EXECUTE FUNCTION ofd_refuse('a version of a card never changes');

-- ofd_open_month makes the table of a month (yyyymm), once. A month more than
-- two ahead of the database's own clock is refused: a node whose clock is wrong
-- must not take the journal with it, for its months never go back.
--
-- The table is made first and attached then, so that nobody who writes has to
-- wait.
-- +goose StatementBegin
CREATE FUNCTION ofd_open_month(month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	name text := 'entries_' || month;
BEGIN
	IF month % 100 NOT BETWEEN 1 AND 12 OR month < 200001
			OR month > to_char(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '2 months', 'YYYYMM')::integer THEN
		RAISE EXCEPTION 'month % is not one that may be opened now', month USING ERRCODE = 'OF001';
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('ofd_open_month'));
	IF to_regclass('public.' || name) IS NOT NULL THEN
		RETURN;
	END IF;
	EXECUTE format('CREATE TABLE public.%I (LIKE public.entries INCLUDING ALL)', name);
	EXECUTE format('CREATE TRIGGER entries_none BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I EXECUTE FUNCTION public.ofd_refuse(%L)', name, 'entries never change');
	EXECUTE format('GRANT SELECT, INSERT ON public.%I TO ofd_service', name);
	EXECUTE format('ALTER TABLE public.entries ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)', name, month, month + 1);
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION ofd_open_month(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ofd_open_month(integer) TO ofd_service;
