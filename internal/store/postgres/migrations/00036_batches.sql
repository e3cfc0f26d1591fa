-- The record of a batch that an authority took is kept for eight days. That a
-- document was taken stands in the cursor, that it was not in parked; both stay.

-- +goose Up

DROP TRIGGER IF EXISTS deliveries_never ON deliveries;
-- Citus has no triggers of whole statements; there rights alone refuse.
-- +goose StatementBegin
DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM installation WHERE name = 'citus') THEN
		CREATE TRIGGER deliveries_never BEFORE UPDATE OR TRUNCATE ON deliveries EXECUTE FUNCTION ofd_refuse('what was delivered never changes');
	END IF;
END $$;
-- +goose StatementEnd
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries FOR EACH ROW
	WHEN (OLD.sent_at > (extract(epoch FROM now()) - 8 * 86400) * 1000000) EXECUTE FUNCTION ofd_refuse('the record of a batch stays for eight days');
GRANT DELETE ON deliveries TO ofd_service;
