-- Which fiscal drive a register of Russia has, as its application told.

-- +goose Up

ALTER TABLE registers ADD COLUMN drive TEXT NOT NULL DEFAULT '';
