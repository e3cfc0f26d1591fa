-- What the registers did, as the cabinet shows it: made from the journal by the
-- follower "cabinet", dropped and made again by `ofd rebuild`. Times are
-- readings of the registers' clocks in seconds, sums are minor units. Each
-- taxpayer's rows are for its own eyes.

-- +goose Up

CREATE TABLE documents (
	taxpayer      bigint NOT NULL,
	time          bigint NOT NULL,
	seq           bigint NOT NULL,
	received_at   bigint NOT NULL, -- microseconds since 1970, UTC
	register      bigint NOT NULL,
	number        bigint NOT NULL,
	card_version  bigint NOT NULL,
	outlet        bigint NOT NULL, -- 0: unknown
	shift         bigint NOT NULL,
	flags         bigint NOT NULL,
	device_number bigint NOT NULL,
	fiscal_sign   bigint NOT NULL,
	total         bigint NOT NULL,
	cash          bigint NOT NULL,
	cashless      bigint NOT NULL,
	other_paid    bigint NOT NULL,
	partition     integer NOT NULL,
	kind          smallint NOT NULL,
	operation     smallint NOT NULL,
	canceled      boolean NOT NULL DEFAULT false,
	printed       text NOT NULL,
	cashier       text NOT NULL,
	goods         text NOT NULL,
	PRIMARY KEY (taxpayer, time, seq, partition)
);
CREATE INDEX documents_outlet ON documents (taxpayer, outlet, time, seq);
CREATE INDEX documents_register ON documents (taxpayer, register, time, seq);

-- By what documents are found: hashes of signs, numbers, sums, words.
CREATE TABLE document_keys (
	taxpayer  bigint NOT NULL,
	key       bigint NOT NULL,
	time      bigint NOT NULL,
	seq       bigint NOT NULL,
	partition integer NOT NULL,
	PRIMARY KEY (taxpayer, key, time, seq, partition)
);

CREATE TABLE shifts (
	register     bigint NOT NULL,
	shift        bigint NOT NULL,
	taxpayer     bigint NOT NULL,
	outlet       bigint NOT NULL,
	card_version bigint NOT NULL,
	opened       bigint NOT NULL,
	last         bigint NOT NULL, -- of its documents
	closed       bigint NOT NULL, -- 0: open
	z            bigint NOT NULL, -- the entry that closed it, 0: none
	documents    bigint NOT NULL,
	offline      bigint NOT NULL,
	cash         bigint NOT NULL,
	cashless     bigint NOT NULL,
	other_paid   bigint NOT NULL,
	cash_in      bigint NOT NULL,
	cash_out     bigint NOT NULL,
	sales        bigint NOT NULL,
	sale_sum     bigint NOT NULL,
	sale_returns bigint NOT NULL,
	sale_return_sum  bigint NOT NULL,
	purchases        bigint NOT NULL,
	purchase_sum     bigint NOT NULL,
	purchase_returns bigint NOT NULL,
	purchase_return_sum bigint NOT NULL,
	partition    integer NOT NULL,
	PRIMARY KEY (register, shift, partition)
) WITH (fillfactor = 70);
CREATE INDEX shifts_opened ON shifts (taxpayer, opened, register);

CREATE TABLE days (
	taxpayer     bigint NOT NULL,
	day          bigint NOT NULL, -- its midnight
	register     bigint NOT NULL,
	outlet       bigint NOT NULL,
	documents    bigint NOT NULL,
	offline      bigint NOT NULL,
	cash         bigint NOT NULL,
	cashless     bigint NOT NULL,
	other_paid   bigint NOT NULL,
	cash_in      bigint NOT NULL,
	cash_out     bigint NOT NULL,
	sales        bigint NOT NULL,
	sale_sum     bigint NOT NULL,
	sale_returns bigint NOT NULL,
	sale_return_sum  bigint NOT NULL,
	purchases        bigint NOT NULL,
	purchase_sum     bigint NOT NULL,
	purchase_returns bigint NOT NULL,
	purchase_return_sum bigint NOT NULL,
	partition    integer NOT NULL,
	PRIMARY KEY (taxpayer, day, register, outlet, partition)
) WITH (fillfactor = 70);

-- Periods without a link.
CREATE TABLE aways (
	taxpayer     bigint NOT NULL,
	register     bigint NOT NULL,
	first        bigint NOT NULL, -- entry
	last         bigint NOT NULL,
	outlet       bigint NOT NULL,
	card_version bigint NOT NULL,
	begins       bigint NOT NULL,
	ends         bigint NOT NULL,
	documents    bigint NOT NULL,
	partition    integer NOT NULL,
	PRIMARY KEY (register, first, partition)
);
CREATE INDEX aways_begins ON aways (taxpayer, begins, first);
CREATE INDEX aways_last ON aways (register, last);

GRANT SELECT, INSERT, UPDATE (canceled) ON documents TO ofd_service;
GRANT SELECT, INSERT ON document_keys TO ofd_service;
GRANT SELECT, INSERT, UPDATE (outlet, card_version, opened, last, closed, z, documents, offline, cash, cashless, other_paid, cash_in, cash_out, sales, sale_sum, sale_returns, sale_return_sum, purchases, purchase_sum, purchase_returns, purchase_return_sum) ON shifts TO ofd_service;
GRANT SELECT, INSERT, UPDATE (documents, offline, cash, cashless, other_paid, cash_in, cash_out, sales, sale_sum, sale_returns, sale_return_sum, purchases, purchase_sum, purchase_returns, purchase_return_sum) ON days TO ofd_service;
GRANT SELECT, INSERT, UPDATE (last, ends, documents) ON aways TO ofd_service;
GRANT SELECT ON documents TO ofd_reader;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON documents TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON documents FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
GRANT SELECT ON document_keys TO ofd_reader;
ALTER TABLE document_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON document_keys TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON document_keys FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
GRANT SELECT ON shifts TO ofd_reader;
ALTER TABLE shifts ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON shifts TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON shifts FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
GRANT SELECT ON days TO ofd_reader;
ALTER TABLE days ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON days TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON days FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
GRANT SELECT ON aways TO ofd_reader;
ALTER TABLE aways ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON aways TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON aways FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
