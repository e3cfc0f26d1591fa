-- What lists and searches walk along: documents by their sums, shifts and
-- periods without a link by their register and outlet.

-- +goose Up

CREATE INDEX documents_total ON documents (taxpayer, total, time, seq);
CREATE INDEX shifts_register ON shifts (taxpayer, register, opened);
CREATE INDEX shifts_outlet ON shifts (taxpayer, outlet, opened, register);
CREATE INDEX aways_register ON aways (taxpayer, register, begins, first);
CREATE INDEX aways_outlet ON aways (taxpayer, outlet, begins, first);

-- By what the operator's staff find a register whose factory number is all they
-- have.
CREATE INDEX registers_number ON registers (lower(serial)) WHERE serial <> '';
