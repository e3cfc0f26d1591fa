-- What the sandbox authority keeps. Instants are microseconds since 1970, UTC;
-- times of registers are seconds since 1970 of their own clocks, days the days
-- since 1970 of those; sums are minor units.

-- +goose Up

CREATE TABLE settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operators (
	id    INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE, -- of the certificate
	first INTEGER NOT NULL
) STRICT;

-- thing and number tell documents apart: register and entry in Kazakhstan,
-- drive and document in Russia. sign is what is printed, 0 none; hash is that of
-- the entry, or what a drive signed. canceled says that another document takes
-- it back.
CREATE TABLE documents (
	seq       INTEGER PRIMARY KEY,
	operator  INTEGER NOT NULL,
	country   INTEGER NOT NULL, -- 1 Kazakhstan, 2 Russia
	thing     INTEGER NOT NULL,
	number    INTEGER NOT NULL,
	register  INTEGER NOT NULL,
	entry     INTEGER NOT NULL,
	kind      TEXT NOT NULL,
	operation INTEGER NOT NULL,
	time      INTEGER NOT NULL,
	received  INTEGER NOT NULL, -- by the operator
	taken     INTEGER NOT NULL, -- by us
	total     INTEGER NOT NULL,
	tax       INTEGER NOT NULL,
	sign      INTEGER NOT NULL,
	canceled  INTEGER NOT NULL,
	hash      BLOB NOT NULL,
	body      BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX documents_number ON documents (operator, country, thing, number);
CREATE INDEX documents_sign ON documents (sign) WHERE sign <> 0;

-- Cancellations that came before what they cancel.
CREATE TABLE cancellations (
	operator INTEGER NOT NULL,
	register INTEGER NOT NULL,
	entry    INTEGER NOT NULL, -- what is canceled
	PRIMARY KEY (operator, register, entry)
) STRICT, WITHOUT ROWID;

-- Six operations: four settlements, two movements of cash.
CREATE TABLE counts (
	operator   INTEGER NOT NULL,
	country    INTEGER NOT NULL,
	day        INTEGER NOT NULL,
	register   INTEGER NOT NULL,
	number     TEXT NOT NULL, -- registration number
	xin        TEXT NOT NULL,
	documents  INTEGER NOT NULL,
	offline    INTEGER NOT NULL,
	shifts     INTEGER NOT NULL,
	first      INTEGER NOT NULL,
	first_time INTEGER NOT NULL,
	last       INTEGER NOT NULL,
	last_time  INTEGER NOT NULL,
	hash       BLOB NOT NULL,
	n1 INTEGER NOT NULL, s1 INTEGER NOT NULL, t1 INTEGER NOT NULL,
	n2 INTEGER NOT NULL, s2 INTEGER NOT NULL, t2 INTEGER NOT NULL,
	n3 INTEGER NOT NULL, s3 INTEGER NOT NULL, t3 INTEGER NOT NULL,
	n4 INTEGER NOT NULL, s4 INTEGER NOT NULL, t4 INTEGER NOT NULL,
	n5 INTEGER NOT NULL, s5 INTEGER NOT NULL,
	n6 INTEGER NOT NULL, s6 INTEGER NOT NULL,
	PRIMARY KEY (operator, country, day, register)
) STRICT, WITHOUT ROWID;

-- What came in on a day of ours, and how long after the operator had it:
-- milliseconds, together and at most.
CREATE TABLE flow (
	operator INTEGER NOT NULL,
	country  INTEGER NOT NULL,
	day      INTEGER NOT NULL,
	taken    INTEGER NOT NULL,
	again    INTEGER NOT NULL,
	refused  INTEGER NOT NULL,
	lag      INTEGER NOT NULL,
	longest  INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	last_lag INTEGER NOT NULL,
	PRIMARY KEY (day, operator, country)
) STRICT, WITHOUT ROWID;

-- The last lines that were refused; older ones go.
CREATE TABLE refusals (
	seq      INTEGER PRIMARY KEY,
	operator INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	what     TEXT NOT NULL, -- receipts, summaries, documents
	id       TEXT NOT NULL,
	why      TEXT NOT NULL
) STRICT;

CREATE TABLE summaries (
	operator INTEGER NOT NULL,
	day      INTEGER NOT NULL,
	register INTEGER NOT NULL,
	version  INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	body     BLOB NOT NULL,
	PRIMARY KEY (operator, day, register)
) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
	operator INTEGER NOT NULL,
	day      INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	body     BLOB NOT NULL,
	PRIMARY KEY (operator, day)
) STRICT, WITHOUT ROWID;

-- due is when it is decided on by itself, 0 never; decided 0 is not yet; decision
-- counts decisions in the order in which they were made.
CREATE TABLE applications (
	seq       INTEGER PRIMARY KEY,
	operator  INTEGER NOT NULL,
	id        TEXT NOT NULL,
	number    TEXT NOT NULL UNIQUE,
	kind      TEXT NOT NULL,
	country   TEXT NOT NULL,
	register  INTEGER NOT NULL,
	xin       TEXT NOT NULL,
	taken     INTEGER NOT NULL,
	body      BLOB NOT NULL, -- the message
	due       INTEGER NOT NULL,
	decided   INTEGER NOT NULL,
	decision  INTEGER,
	by        TEXT NOT NULL, -- who decided: 'rules' or 'person'
	granted   INTEGER NOT NULL,
	given     TEXT NOT NULL, -- registration number
	why_kk    TEXT NOT NULL,
	why_ru    TEXT NOT NULL,
	why_en    TEXT NOT NULL,
	UNIQUE (operator, id)
) STRICT;
CREATE UNIQUE INDEX applications_decision ON applications (decision) WHERE decision IS NOT NULL;
CREATE INDEX applications_waiting ON applications (due) WHERE decided = 0;

-- Registers on record here, by what was granted. A number is never given twice.
CREATE TABLE registers (
	country  TEXT NOT NULL,
	number   TEXT NOT NULL,
	operator INTEGER NOT NULL,
	register INTEGER NOT NULL,
	xin      TEXT NOT NULL,
	model    TEXT NOT NULL,
	serial   TEXT NOT NULL,
	since    INTEGER NOT NULL,
	until    INTEGER NOT NULL, -- 0: still
	PRIMARY KEY (country, number)
) STRICT, WITHOUT ROWID;

-- Taxpayers and models on record. Where a country has none of a kind, all are.
CREATE TABLE known (
	country TEXT NOT NULL,
	kind    TEXT NOT NULL CHECK (kind IN ('taxpayer', 'model')),
	name    TEXT NOT NULL, -- BIN, IIN, INN; model
	title   TEXT NOT NULL,
	PRIMARY KEY (country, kind, name)
) STRICT, WITHOUT ROWID;
