-- What the registers did, as the cabinet shows it: made from the journal by the
-- follower "cabinet", dropped and made again by `ofd rebuild`. Times are
-- readings of the registers' clocks in seconds, sums are minor units.

-- +goose Up

-- One partition, so seq is the rowid.
CREATE TABLE documents (
	seq           INTEGER PRIMARY KEY,
	taxpayer      INTEGER NOT NULL,
	time          INTEGER NOT NULL,
	received_at   INTEGER NOT NULL, -- microseconds since 1970, UTC
	register      INTEGER NOT NULL,
	number        INTEGER NOT NULL,
	card_version  INTEGER NOT NULL,
	outlet        INTEGER NOT NULL, -- 0: unknown
	kind          INTEGER NOT NULL,
	operation     INTEGER NOT NULL,
	shift         INTEGER NOT NULL,
	flags         INTEGER NOT NULL,
	canceled      INTEGER NOT NULL DEFAULT 0,
	device_number INTEGER NOT NULL,
	fiscal_sign   INTEGER NOT NULL,
	total         INTEGER NOT NULL,
	cash          INTEGER NOT NULL,
	cashless      INTEGER NOT NULL,
	other_paid    INTEGER NOT NULL,
	printed       TEXT NOT NULL,
	cashier       TEXT NOT NULL,
	goods         TEXT NOT NULL
) STRICT;
CREATE INDEX documents_time ON documents (taxpayer, time, seq);
CREATE INDEX documents_outlet ON documents (taxpayer, outlet, time, seq);
CREATE INDEX documents_register ON documents (taxpayer, register, time, seq);

-- By what documents are found: hashes of signs, numbers, sums, words.
CREATE TABLE document_keys (
	taxpayer INTEGER NOT NULL,
	key      INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	PRIMARY KEY (taxpayer, key, time, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE shifts (
	register     INTEGER NOT NULL,
	shift        INTEGER NOT NULL,
	taxpayer     INTEGER NOT NULL,
	outlet       INTEGER NOT NULL,
	card_version INTEGER NOT NULL,
	opened       INTEGER NOT NULL,
	last         INTEGER NOT NULL, -- of its documents
	closed       INTEGER NOT NULL, -- 0: open
	z            INTEGER NOT NULL, -- the entry that closed it, 0: none
	documents    INTEGER NOT NULL,
	offline      INTEGER NOT NULL,
	cash         INTEGER NOT NULL,
	cashless     INTEGER NOT NULL,
	other_paid   INTEGER NOT NULL,
	cash_in      INTEGER NOT NULL,
	cash_out     INTEGER NOT NULL,
	sales        INTEGER NOT NULL,
	sale_sum     INTEGER NOT NULL,
	sale_returns INTEGER NOT NULL,
	sale_return_sum  INTEGER NOT NULL,
	purchases        INTEGER NOT NULL,
	purchase_sum     INTEGER NOT NULL,
	purchase_returns INTEGER NOT NULL,
	purchase_return_sum INTEGER NOT NULL,
	PRIMARY KEY (register, shift)
) STRICT, WITHOUT ROWID;
CREATE INDEX shifts_opened ON shifts (taxpayer, opened, register);

CREATE TABLE days (
	taxpayer     INTEGER NOT NULL,
	day          INTEGER NOT NULL, -- its midnight
	register     INTEGER NOT NULL,
	outlet       INTEGER NOT NULL,
	documents    INTEGER NOT NULL,
	offline      INTEGER NOT NULL,
	cash         INTEGER NOT NULL,
	cashless     INTEGER NOT NULL,
	other_paid   INTEGER NOT NULL,
	cash_in      INTEGER NOT NULL,
	cash_out     INTEGER NOT NULL,
	sales        INTEGER NOT NULL,
	sale_sum     INTEGER NOT NULL,
	sale_returns INTEGER NOT NULL,
	sale_return_sum  INTEGER NOT NULL,
	purchases        INTEGER NOT NULL,
	purchase_sum     INTEGER NOT NULL,
	purchase_returns INTEGER NOT NULL,
	purchase_return_sum INTEGER NOT NULL,
	PRIMARY KEY (taxpayer, day, register, outlet)
) STRICT, WITHOUT ROWID;

-- Periods without a link.
CREATE TABLE aways (
	taxpayer     INTEGER NOT NULL,
	register     INTEGER NOT NULL,
	first        INTEGER NOT NULL, -- entry
	last         INTEGER NOT NULL,
	outlet       INTEGER NOT NULL,
	card_version INTEGER NOT NULL,
	begins       INTEGER NOT NULL,
	ends         INTEGER NOT NULL,
	documents    INTEGER NOT NULL,
	PRIMARY KEY (register, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX aways_begins ON aways (taxpayer, begins, first);
CREATE INDEX aways_last ON aways (register, last);
