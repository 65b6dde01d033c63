-- What staff looked at and why, who was made staff by whom, and what staff asked for.
-- Safe to run again at every start. What is only added to stays as it was written, for everybody.
CREATE TABLE IF NOT EXISTS identity.looks (
  number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  staff    text NOT NULL,               -- a person's id
  account  text NOT NULL,               -- '*': events of any account
  what     text NOT NULL,               -- which page or route
  why      text NOT NULL CHECK (why <> ''),
  opened   boolean NOT NULL DEFAULT false, -- this is where the reason was given
  at       bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS looks_account ON identity.looks (account, at);
CREATE INDEX IF NOT EXISTS looks_opened ON identity.looks (staff, account, at) WHERE opened;

CREATE TABLE IF NOT EXISTS identity.roles_given (
  number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person    text NOT NULL,
  was       text NOT NULL,
  role      text NOT NULL,
  given_by  text NOT NULL,              -- whoever ran the command
  at        bigint NOT NULL
);

-- One row per thing that staff asked of the ledger, named by the form that it was asked with.
CREATE TABLE IF NOT EXISTS identity.actions (
  id           text PRIMARY KEY,        -- of the command too
  kind         text NOT NULL,
  account      text NOT NULL,
  amount       bigint,
  target       text NOT NULL,           -- a charge, a grant or nothing
  reason       text NOT NULL,
  note         text NOT NULL,
  expires_at   bigint NOT NULL,         -- of what is granted
  asked_by     text NOT NULL,
  asked_at     bigint NOT NULL,
  until        bigint NOT NULL,         -- when nobody can approve it any more
  two          boolean NOT NULL,        -- a second person is needed
  approved_by  text CHECK (approved_by <> asked_by),
  ended_at     bigint,
  outcome      text NOT NULL DEFAULT '' -- done, the ledger's reason for a no, declined, withdrawn
);
CREATE INDEX IF NOT EXISTS actions_waiting ON identity.actions (until) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS actions_account ON identity.actions (account, asked_at);

CREATE OR REPLACE FUNCTION identity.only_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON identity.looks
  FOR EACH STATEMENT EXECUTE FUNCTION identity.only_added();
CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON identity.roles_given
  FOR EACH STATEMENT EXECUTE FUNCTION identity.only_added();

GRANT SELECT, INSERT ON identity.looks TO scrip_identity;
GRANT SELECT ON identity.roles_given TO scrip_identity;
GRANT SELECT, INSERT, UPDATE (approved_by, ended_at, outcome) ON identity.actions TO scrip_identity;
