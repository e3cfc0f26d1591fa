-- What the last exchanges told of each register's link. NULL is what none of
-- them told.

-- +goose Up

CREATE TABLE contacts (
	register  INTEGER PRIMARY KEY,
	partition INTEGER NOT NULL,
	at        INTEGER NOT NULL, -- microseconds since 1970, UTC
	peer      TEXT NOT NULL,
	version   INTEGER, -- of the protocol
	quality   TEXT CHECK (json_valid(quality)),
	position  TEXT CHECK (json_valid(position)),
	software  TEXT,
	ads       TEXT CHECK (json_valid(ads)),
	offline   INTEGER -- microseconds
) STRICT;
