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

-- Where somebody goes on after signing in: a path of this host.
ALTER TABLE identity.links ADD COLUMN IF NOT EXISTS back text NOT NULL DEFAULT '/account/credits';

-- Who left for an OpenID provider and may come back; both are hashes of what the browser knows.
CREATE TABLE IF NOT EXISTS identity.departures (
  state       bytea PRIMARY KEY CHECK (length(state) = 32),
  browser     bytea NOT NULL CHECK (length(browser) = 32),
  back        text NOT NULL,
  expires_at  bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS departures_expire ON identity.departures (expires_at);

-- Who a provider's people are here.
CREATE TABLE IF NOT EXISTS identity.logins (
  issuer   text NOT NULL,
  subject  text NOT NULL,
  person   text NOT NULL REFERENCES identity.people ON DELETE CASCADE,
  made_at  bigint NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX IF NOT EXISTS logins_person ON identity.logins (person);

GRANT USAGE ON SCHEMA identity TO scrip_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.departures, identity.logins TO scrip_identity;
-- The team that somebody acts for by this session; NULL: themselves. Looked up with every request.
ALTER TABLE identity.sessions ADD COLUMN IF NOT EXISTS team text;

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
-- Referrals: each person's code, and how many bonuses it brought in the month it last brought one.
CREATE TABLE IF NOT EXISTS identity.referrals (
  referrer  text PRIMARY KEY REFERENCES identity.people ON DELETE CASCADE,
  code      text NOT NULL UNIQUE,        -- public: it is passed on
  made_at   bigint NOT NULL,
  month     text NOT NULL DEFAULT '',    -- of UTC, as 2026-11
  bonuses   integer NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS identity.referred (
  person       text PRIMARY KEY REFERENCES identity.people ON DELETE CASCADE,
  referrer     text NOT NULL REFERENCES identity.referrals ON DELETE CASCADE,
  named_at     bigint NOT NULL,
  bought_at    bigint,                   -- the first purchase that stood; NULL: none yet
  to_referrer  boolean NOT NULL DEFAULT false,  -- within the month's most
  given_at     bigint
);
CREATE INDEX IF NOT EXISTS referred_referrer ON identity.referred (referrer);
CREATE INDEX IF NOT EXISTS referred_open ON identity.referred (person) WHERE given_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.referrals, identity.referred TO scrip_identity;

-- Teams: who works on which account, and as what. The account itself knows opaque ids only.
CREATE TABLE IF NOT EXISTS identity.teams (
  id       text PRIMARY KEY,             -- of the account too
  name     text NOT NULL,
  owners   integer NOT NULL DEFAULT 0,   -- kept by the trigger below; never back to 0
  made_at  bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS identity.members (
  team       text NOT NULL REFERENCES identity.teams ON DELETE CASCADE,
  person     text NOT NULL REFERENCES identity.people ON DELETE CASCADE,
  role       text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
  joined_at  bigint NOT NULL,
  PRIMARY KEY (team, person)
);
CREATE INDEX IF NOT EXISTS members_person ON identity.members (person);
CREATE TABLE IF NOT EXISTS identity.invitations (
  id          text PRIMARY KEY,
  sha256      bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
  team        text NOT NULL REFERENCES identity.teams ON DELETE CASCADE,
  email       text NOT NULL,             -- whom it was sent to, and who may accept
  role        text NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
  allocation  bigint,                    -- NULL: none
  counts      text CHECK (counts IN ('day', 'month', 'ever')),
  invited_by  text NOT NULL,             -- a person's id
  made_at     bigint NOT NULL,
  expires_at  bigint NOT NULL,
  ended_at    bigint                     -- accepted or withdrawn
);
CREATE INDEX IF NOT EXISTS invitations_team ON identity.invitations (team, made_at);
CREATE INDEX IF NOT EXISTS invitations_email ON identity.invitations (email, expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.teams, identity.members, identity.invitations
  TO scrip_identity;

-- A team keeps an owner, also when two leave at once: both write the team's row.
CREATE OR REPLACE FUNCTION identity.count_owners() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP <> 'DELETE' AND NEW.role = 'owner' AND (TG_OP = 'INSERT' OR OLD.role <> 'owner') THEN
    UPDATE identity.teams SET owners = owners + 1 WHERE id = NEW.team;
  END IF;
  IF TG_OP <> 'INSERT' AND OLD.role = 'owner' AND (TG_OP = 'DELETE' OR NEW.role <> 'owner') THEN
    UPDATE identity.teams SET owners = owners - 1 WHERE id = OLD.team AND owners > 1;
    IF NOT FOUND AND EXISTS (SELECT FROM identity.teams WHERE id = OLD.team) THEN
      RAISE EXCEPTION 'the last owner' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER owners AFTER INSERT OR UPDATE OF role OR DELETE ON identity.members
  FOR EACH ROW EXECUTE FUNCTION identity.count_owners();

-- Who leaves a team leaves no key of it behind, and who may do less, none that may do more: also
-- one that was made while this was under way.
CREATE OR REPLACE FUNCTION identity.end_keys() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  left_to text[] := '{}';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    left_to := CASE NEW.role WHEN 'viewer' THEN '{read}' WHEN 'member' THEN '{read,spend}'
                             ELSE '{read,spend,admin}' END;
  END IF;
  UPDATE gateway.keys
     SET revoked_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
         changed_at = clock_timestamp()
   WHERE account = OLD.team AND made_by = OLD.person AND revoked_at IS NULL
     AND NOT scopes <@ left_to;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER keys AFTER UPDATE OF role OR DELETE ON identity.members
  FOR EACH ROW EXECUTE FUNCTION identity.end_keys();

-- What owners are told: opaque ids and amounts. `number` is the order of the list.
CREATE TABLE IF NOT EXISTS identity.notifications (
  number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id       text NOT NULL UNIQUE,         -- of the notification, by which it is told once
  account  text NOT NULL,
  kind     text NOT NULL,
  at       bigint NOT NULL,
  told     text NOT NULL,                -- the notification as it came
  listed   boolean NOT NULL,             -- false: by e-mail alone
  read_at  bigint
);
CREATE INDEX IF NOT EXISTS notifications_list ON identity.notifications (account, number)
  WHERE listed;
CREATE INDEX IF NOT EXISTS notifications_unread ON identity.notifications (account)
  WHERE listed AND read_at IS NULL;
CREATE INDEX IF NOT EXISTS notifications_at ON identity.notifications (at);
CREATE TABLE IF NOT EXISTS identity.notification_choices (
  account  text PRIMARY KEY,
  version  bigint NOT NULL,
  listed   text[] NOT NULL,              -- the kinds that are shown on the pages
  mailed   text[] NOT NULL               -- and those that are sent by e-mail
);
-- A mail is claimed ('sending') before it is sent. Who dies in between leaves it 'unknown'.
CREATE TABLE IF NOT EXISTS identity.notification_mails (
  id          text NOT NULL REFERENCES identity.notifications (id) ON DELETE CASCADE,
  person      text NOT NULL REFERENCES identity.people ON DELETE CASCADE,
  state       text NOT NULL DEFAULT 'due'
              CHECK (state IN ('due', 'sending', 'sent', 'failed', 'unknown')),
  tries       integer NOT NULL DEFAULT 0,
  due_at      bigint NOT NULL,
  claimed_at  bigint,
  PRIMARY KEY (id, person)
);
CREATE INDEX IF NOT EXISTS notification_mails_due ON identity.notification_mails (due_at)
  WHERE state IN ('due', 'sending');
CREATE INDEX IF NOT EXISTS notification_mails_person ON identity.notification_mails (person);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.notifications, identity.notification_choices,
  identity.notification_mails TO scrip_identity;
