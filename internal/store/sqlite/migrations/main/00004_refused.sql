-- What came in and was not accepted, outside the chains.

-- +goose Up

CREATE TABLE refused (
	id        INTEGER PRIMARY KEY,
	partition INTEGER NOT NULL,
	register  INTEGER NOT NULL, -- 0: no such register
	day       INTEGER NOT NULL, -- days since 1970, UTC
	at        INTEGER NOT NULL,
	reason    TEXT NOT NULL,
	field     TEXT NOT NULL,
	detail    TEXT NOT NULL,
	peer      TEXT NOT NULL,
	request   BLOB NOT NULL
) STRICT;
CREATE INDEX refused_register_day ON refused (register, day);
