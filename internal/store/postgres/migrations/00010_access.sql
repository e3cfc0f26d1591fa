-- Who may see what: people, codes sent to them, sessions, their places in
-- organizations, and the chains of what they did. Secrets are hashed or sealed.

-- +goose Up

INSERT INTO counters (name, next) VALUES ('users', 1);

CREATE TABLE users (
	id      bigint PRIMARY KEY,
	email   text NOT NULL UNIQUE,
	version bigint NOT NULL,
	body    json NOT NULL
);
GRANT SELECT, INSERT, UPDATE (version, body) ON users TO ofd_service;

CREATE TABLE codes (
	purpose text NOT NULL,
	email   text NOT NULL,
	body    json NOT NULL,
	PRIMARY KEY (purpose, email)
);
GRANT SELECT, INSERT, DELETE, UPDATE (body) ON codes TO ofd_service;

CREATE TABLE sessions (
	id      bytea PRIMARY KEY, -- of the token, SHA-256
	user_id bigint NOT NULL REFERENCES users (id),
	seen    bigint NOT NULL, -- microseconds since 1970, UTC
	ends    bigint NOT NULL,
	body    json NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, seen);
CREATE INDEX sessions_ends ON sessions (ends);
GRANT SELECT, INSERT, DELETE, UPDATE (seen, ends, body) ON sessions TO ofd_service;

CREATE TABLE members (
	user_id  bigint NOT NULL REFERENCES users (id),
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	body     json NOT NULL,
	PRIMARY KEY (user_id, taxpayer)
);
CREATE INDEX members_taxpayer ON members (taxpayer, user_id);
GRANT SELECT, INSERT, DELETE, UPDATE (body) ON members TO ofd_service;
GRANT SELECT ON members TO ofd_reader, ofd_auditor;

CREATE TABLE invitations (
	taxpayer bigint NOT NULL REFERENCES taxpayers (id),
	email    text NOT NULL,
	body     json NOT NULL,
	PRIMARY KEY (taxpayer, email)
);
CREATE INDEX invitations_email ON invitations (email);
GRANT SELECT, INSERT, DELETE, UPDATE (body) ON invitations TO ofd_service;
GRANT SELECT ON invitations TO ofd_reader, ofd_auditor;

-- A chain for each organization; taxpayer 0 is that of no organization.
CREATE TABLE audit (
	taxpayer bigint NOT NULL,
	seq      bigint NOT NULL,
	at       bigint NOT NULL, -- microseconds since 1970, UTC
	user_id  bigint NOT NULL, -- 0: nobody known
	who      text NOT NULL,
	address  text NOT NULL,
	act      text NOT NULL,
	object   text NOT NULL,
	detail   text NOT NULL,
	prev     bytea NOT NULL,
	hash     bytea NOT NULL,
	PRIMARY KEY (taxpayer, seq)
);
CREATE INDEX audit_user ON audit (user_id, seq) WHERE taxpayer = 0;
GRANT SELECT, INSERT ON audit TO ofd_service;
GRANT SELECT ON audit TO ofd_reader, ofd_auditor;

ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON members TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON invitations TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY service ON audit TO ofd_service USING (true) WITH CHECK (true);
CREATE POLICY reader ON members FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON invitations FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY reader ON audit FOR SELECT TO ofd_reader USING (taxpayer = ofd_taxpayer());
CREATE POLICY auditor ON members FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON invitations FOR SELECT TO ofd_auditor USING (true);
CREATE POLICY auditor ON audit FOR SELECT TO ofd_auditor USING (true);

CREATE TRIGGER users_never BEFORE DELETE OR TRUNCATE ON users EXECUTE FUNCTION ofd_refuse('a person who did something stays; they can be shut out');
CREATE TRIGGER users_stay BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.email <> OLD.email OR NEW.version <= OLD.version) EXECUTE FUNCTION ofd_refuse('a person stays who they are');
CREATE TRIGGER audit_never BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION ofd_refuse('what was done stays');
