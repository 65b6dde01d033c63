-- Who people are: the only place with personal data, and the one role that may touch it.
-- Safe to run again at every start.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scrip_identity') THEN
    CREATE ROLE scrip_identity NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;  -- another database of this server made it at the same moment
END $$;

CREATE SCHEMA IF NOT EXISTS identity;

CREATE TABLE IF NOT EXISTS identity.people (
  id       text PRIMARY KEY,             -- opaque; of an owner, the account's id too
  email    text UNIQUE,                  -- lower case; NULL: of a development sign-in
  role     text NOT NULL DEFAULT 'owner'
           CHECK (role IN ('owner', 'admin', 'support', 'read_only')),
  made_at  bigint NOT NULL               -- ms since the epoch, as all times here
);

CREATE TABLE IF NOT EXISTS identity.links (
  sha256      bytea PRIMARY KEY CHECK (length(sha256) = 32),
  email       text NOT NULL,
  made_at     bigint NOT NULL,
  expires_at  bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS links_email ON identity.links (email, made_at);
CREATE INDEX IF NOT EXISTS links_expire ON identity.links (expires_at);

CREATE TABLE IF NOT EXISTS identity.sessions (
  sha256   bytea PRIMARY KEY CHECK (length(sha256) = 32),
  person   text NOT NULL REFERENCES identity.people ON DELETE CASCADE,
  made_at  bigint NOT NULL,
  seen_at  bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_person ON identity.sessions (person);
CREATE INDEX IF NOT EXISTS sessions_seen ON identity.sessions (seen_at);

GRANT USAGE ON SCHEMA identity TO scrip_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.people, identity.links, identity.sessions
  TO scrip_identity;

-- Rate limits that all gateways share; gone after a crash of the server, which only forgives.
CREATE UNLOGGED TABLE IF NOT EXISTS identity.rates (
  rule        text NOT NULL,
  owner       text NOT NULL,             -- a key, an account, a person or an address
  arrival     float8 NOT NULL,           -- seconds since the epoch: when the next call is due
  changed_at  float8 NOT NULL,
  PRIMARY KEY (rule, owner)
);
CREATE INDEX IF NOT EXISTS rates_changed ON identity.rates (changed_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.rates TO scrip_identity;

-- What pages of other origins may show of an account, for minutes; `key` is the id of who made it.
CREATE TABLE IF NOT EXISTS identity.embeds (
  sha256      bytea PRIMARY KEY CHECK (length(sha256) = 32),
  account     text NOT NULL,
  origin      text NOT NULL,
  key         text NOT NULL,
  expires_at  bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS embeds_account ON identity.embeds (account);
CREATE INDEX IF NOT EXISTS embeds_expire ON identity.embeds (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.embeds TO scrip_identity;

-- Gifts: who made them, and by which code they are claimed. Their credits are the ledger's.
CREATE TABLE IF NOT EXISTS identity.gifts (
  gift     text PRIMARY KEY,             -- the account that holds the credits
  sender   text NOT NULL,
  sha256   bytea UNIQUE CHECK (length(sha256) = 32),  -- of the code; NULL: not sent yet
  amount   bigint NOT NULL,
  note     text NOT NULL,
  made_at  bigint NOT NULL,
  until    bigint NOT NULL,
  over_at  bigint
);
CREATE INDEX IF NOT EXISTS gifts_sender ON identity.gifts (sender, made_at);
CREATE INDEX IF NOT EXISTS gifts_until ON identity.gifts (until) WHERE over_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.gifts TO scrip_identity;
