-- Keys by which programs act for people, and what was answered to requests that
-- they named. Tokens are hashed, answers sealed.

-- +goose Up

INSERT INTO counters (name, next) VALUES ('api_keys', 1);

CREATE TABLE api_keys (
	id       bigint PRIMARY KEY,
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	used     bigint NOT NULL DEFAULT 0, -- microseconds since 1970, UTC; 0: never
	hash     bytea NOT NULL UNIQUE, -- of the token, SHA-256
	body     json NOT NULL
);
CREATE INDEX api_keys_taxpayer ON api_keys (taxpayer, id);
GRANT SELECT, INSERT, UPDATE (used, body) ON api_keys TO ofd_service;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON api_keys TO ofd_service USING (true) WITH CHECK (true);

CREATE TABLE api_replies (
	key_id bigint NOT NULL REFERENCES api_keys (id),
	began  bigint NOT NULL,
	name   text NOT NULL, -- that the program chose
	body   json NOT NULL,
	PRIMARY KEY (key_id, name)
);
CREATE INDEX api_replies_began ON api_replies (began);
GRANT SELECT, INSERT, DELETE, UPDATE (began, body) ON api_replies TO ofd_service;

CREATE TRIGGER api_keys_never BEFORE DELETE OR TRUNCATE ON api_keys EXECUTE FUNCTION ofd_refuse('a key that did something stays; it can be ended');
CREATE TRIGGER api_keys_stay BEFORE UPDATE ON api_keys FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.hash <> OLD.hash OR NEW.taxpayer <> OLD.taxpayer) EXECUTE FUNCTION ofd_refuse('a key stays whose it is');
