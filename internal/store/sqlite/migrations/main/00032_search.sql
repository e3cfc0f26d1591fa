-- By what the operator's staff find a register whose factory number is all they
-- have.

-- +goose Up

CREATE INDEX registers_number ON registers (serial COLLATE NOCASE) WHERE serial <> '';
