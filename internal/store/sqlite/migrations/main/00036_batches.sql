-- The record of a batch that an authority took is kept for eight days. That a
-- document was taken stands in the cursor, that it was not in parked; both stay.

-- +goose Up

DROP TRIGGER deliveries_stay;
-- +goose StatementBegin
CREATE TRIGGER deliveries_stay BEFORE DELETE ON deliveries WHEN OLD.sent_at > (unixepoch('now') - 8 * 86400) * 1000000
BEGIN
	SELECT RAISE(ABORT, 'the record of a batch stays for eight days');
END;
-- +goose StatementEnd
