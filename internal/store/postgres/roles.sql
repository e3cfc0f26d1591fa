-- The roles of an installation. They belong to the whole cluster, so they are
-- made only where they are missing, and other installations may share them.
-- None of them can log in: an installation's login is granted ofd_service and
-- ofd_reader, the one that migrates is given ofd_owner as well.
--
--   ofd_owner    owns every object; migrations alone act as it
--   ofd_service  accepts: reads all, appends, moves heads and states on
--   ofd_reader   reads for pages, one taxpayer at a time (row security)
--   ofd_auditor  reads everything but secrets, through views
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['ofd_owner', 'ofd_service', 'ofd_reader', 'ofd_auditor'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', name);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL; -- another database of the cluster was faster
			END;
		END IF;
	END LOOP;
	-- Who migrates also gives a new installation its keys, as a node would.
	FOREACH name IN ARRAY ARRAY['ofd_owner', 'ofd_service', 'ofd_reader'] LOOP
		IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
			EXECUTE format('GRANT %I TO %I', name, current_user);
		END IF;
	END LOOP;
	IF NOT has_schema_privilege('ofd_owner', 'public', 'CREATE') THEN
		GRANT CREATE, USAGE ON SCHEMA public TO ofd_owner;
	END IF;
	IF has_schema_privilege('public', 'public', 'CREATE') THEN
		REVOKE CREATE ON SCHEMA public FROM PUBLIC;
	END IF;
	IF has_database_privilege('public', current_database(), 'TEMPORARY') AND pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER') THEN
		EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
	END IF;
END
$$;
