-- Months that are kept no longer: the segments that stand for them, signed,
-- where the registers stood at their ends, and what outlives them. The service
-- adds segments; it can take nothing away. A month leaves by ofd_retire_month,
-- with the owner's rights, which looks for itself.

-- +goose Up

CREATE TABLE segments (
	first_seq bigint NOT NULL,
	last_seq  bigint NOT NULL CHECK (last_seq >= first_seq),
	entries   bigint NOT NULL CHECK (entries = last_seq - first_seq + 1),
	until     bigint NOT NULL, -- microseconds since 1970, UTC
	partition integer NOT NULL,
	month     integer NOT NULL, -- yyyymm
	sign_key  integer NOT NULL,
	chain     bytea NOT NULL CHECK (length(chain) = 32), -- of the last entry
	sign      bytea NOT NULL,
	body      text NOT NULL, -- what is signed
	PRIMARY KEY (partition, month)
);
GRANT SELECT, INSERT ON segments TO ofd_service;
GRANT SELECT ON segments TO ofd_auditor;

CREATE TABLE segment_ends (
	register  bigint NOT NULL,
	taxpayer  bigint NOT NULL,
	number    bigint NOT NULL, -- of its last entry
	partition integer NOT NULL,
	month     integer NOT NULL,
	hash      bytea NOT NULL CHECK (length(hash) = 32),
	state     bytea NOT NULL,
	PRIMARY KEY (partition, month, register)
);
GRANT SELECT, INSERT ON segment_ends TO ofd_service;

-- The last entries of each kind of a register and month, whole.
CREATE TABLE kept_entries (
	register  bigint NOT NULL,
	number    bigint NOT NULL,
	partition integer NOT NULL,
	month     integer NOT NULL,
	body      bytea NOT NULL,
	PRIMARY KEY (partition, register, number)
);
GRANT SELECT, INSERT ON kept_entries TO ofd_service;

CREATE TABLE retired (
	last_seq  bigint NOT NULL,
	at        bigint NOT NULL,
	partition integer NOT NULL,
	month     integer NOT NULL,
	PRIMARY KEY (partition, month)
);
GRANT SELECT ON retired TO ofd_service, ofd_reader, ofd_auditor;

CREATE TRIGGER segments_never BEFORE UPDATE OR DELETE OR TRUNCATE ON segments EXECUTE FUNCTION ofd_refuse('a segment never changes');
CREATE TRIGGER segment_ends_never BEFORE UPDATE OR DELETE OR TRUNCATE ON segment_ends EXECUTE FUNCTION ofd_refuse('a segment never changes');
CREATE TRIGGER kept_entries_never BEFORE UPDATE OR DELETE OR TRUNCATE ON kept_entries EXECUTE FUNCTION ofd_refuse('entries never change');
CREATE TRIGGER retired_never BEFORE UPDATE OR DELETE OR TRUNCATE ON retired EXECUTE FUNCTION ofd_refuse('what is retired stays so');

-- ofd_retire_month detaches the table of a month (yyyymm), once, if the term of
-- each partition's segment is over by the database's own clock, the segments fit
-- the entries and no older entry is left. No law of any country asks for less
-- than five years. The table stays, as retired_yyyymm, for its owner alone, who
-- may drop it.
--
-- That entries lie between the first and the last without a hole was verified
-- by whoever made the segment, and is not counted again here: it would take long
-- under a lock.
-- +goose StatementBegin
CREATE FUNCTION ofd_retire_month(month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	name   text := 'entries_' || month;
	micros bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
	p      integer;
	first  bigint;
	last   bigint;
	link   bytea;
	left_behind boolean;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('ofd_open_month'));
	IF to_regclass('public.' || name) IS NULL AND EXISTS (SELECT FROM public.retired r WHERE r.month = ofd_retire_month.month) THEN
		RETURN;
	END IF;
	IF EXISTS (SELECT FROM public.installation i WHERE i.name = 'citus') THEN
		RAISE EXCEPTION 'months of a distributed installation stay' USING ERRCODE = 'OF002';
	END IF;
	IF month >= to_char(clock_timestamp() AT TIME ZONE 'UTC' - interval '5 years', 'YYYYMM')::integer THEN
		RAISE EXCEPTION 'month % has to be kept', month USING ERRCODE = 'OF002';
	END IF;
	IF to_regclass('public.' || name) IS NULL THEN
		RAISE EXCEPTION 'there is no month %', month USING ERRCODE = 'OF002';
	END IF;
	EXECUTE format('SELECT EXISTS (SELECT FROM public.entries WHERE month < %s)', month) INTO left_behind;
	IF left_behind THEN
		RAISE EXCEPTION 'months before % are still there', month USING ERRCODE = 'OF002';
	END IF;
	-- Nobody adds to it from here on.
	EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', name);
	FOR p IN SELECT h.partition FROM public.heads h ORDER BY h.partition LOOP
		EXECUTE format('SELECT min(seq), max(seq) FROM public.%I WHERE partition = $1', name) INTO first, last USING p;
		CONTINUE WHEN first IS NULL;
		EXECUTE format('SELECT chain FROM public.%I WHERE partition = $1 AND seq = $2', name) INTO link USING p, last;
		IF NOT EXISTS (SELECT FROM public.segments s WHERE s.partition = p AND s.month = ofd_retire_month.month AND s.first_seq = first
				AND s.last_seq = last AND s.chain = link AND s.until <= micros
				AND first = 1 + coalesce((SELECT max(r.last_seq) FROM public.retired r WHERE r.partition = p), 0)
				AND EXISTS (SELECT FROM public.segment_ends e WHERE e.partition = p AND e.month = s.month)) THEN
			RAISE EXCEPTION 'month % of partition % has to be kept', month, p USING ERRCODE = 'OF002';
		END IF;
		INSERT INTO public.retired (partition, month, last_seq, at) VALUES (p, month, last, micros);
	END LOOP;
	EXECUTE format('ALTER TABLE public.entries DETACH PARTITION public.%I', name);
	EXECUTE format('REVOKE ALL ON public.%I FROM ofd_service, ofd_reader, ofd_auditor', name);
	EXECUTE format('ALTER TABLE public.%I RENAME TO %I', name, 'retired_' || month);
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION ofd_retire_month(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ofd_retire_month(integer) TO ofd_service;

-- A month that was retired is not opened again.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ofd_open_month(month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	name text := 'entries_' || month;
BEGIN
	IF month % 100 NOT BETWEEN 1 AND 12 OR month < 200001
			OR month > to_char(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '2 months', 'YYYYMM')::integer
			OR EXISTS (SELECT FROM public.retired r WHERE r.month >= ofd_open_month.month) THEN
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
