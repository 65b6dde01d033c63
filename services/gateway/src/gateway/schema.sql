-- The gateway's own tables, and the role it reads with. Safe to run again at every start.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scrip_gateway') THEN
    CREATE ROLE scrip_gateway NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;  -- another database of this server made it at the same moment
END $$;

CREATE SCHEMA IF NOT EXISTS gateway;

CREATE TABLE IF NOT EXISTS gateway.keys (
  id          text PRIMARY KEY,
  sha256      bytea NOT NULL CHECK (length(sha256) = 32),
  scopes      text[] NOT NULL CHECK (cardinality(scopes) > 0),
  account     text,                     -- NULL: a service key, for any account
  label       text NOT NULL DEFAULT '',
  created_at  bigint NOT NULL,          -- ms since the epoch, as the next two
  expires_at  bigint,
  revoked_at  bigint,
  changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS keys_changed ON gateway.keys (changed_at);

GRANT USAGE ON SCHEMA gateway TO scrip_gateway;
GRANT SELECT ON gateway.keys TO scrip_gateway;

-- Owners make, rotate and revoke the keys of their accounts through the running gateway.
ALTER TABLE gateway.keys ADD COLUMN IF NOT EXISTS last_used_at bigint;
CREATE INDEX IF NOT EXISTS keys_account ON gateway.keys (account) WHERE account IS NOT NULL;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scrip_identity') THEN
    CREATE ROLE scrip_identity NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$;
-- The person who made it or for whom a key did; NULL: made before this was kept, or by an operator.
ALTER TABLE gateway.keys ADD COLUMN IF NOT EXISTS made_by text;
CREATE INDEX IF NOT EXISTS keys_made_by ON gateway.keys (made_by) WHERE made_by IS NOT NULL;
GRANT USAGE ON SCHEMA gateway TO scrip_identity;
GRANT SELECT, INSERT, UPDATE ON gateway.keys TO scrip_identity;
