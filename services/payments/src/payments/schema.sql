-- Payments' own tables beside the event store's. Safe to run again at every start.
CREATE SCHEMA IF NOT EXISTS payments;

-- Webhooks as they came: stored before they are acknowledged, keyed by the event's id.
CREATE TABLE IF NOT EXISTS payments.inbox (
  event       text PRIMARY KEY,
  kind        text NOT NULL,
  object      text NOT NULL,
  body        bytea NOT NULL,
  created_at  timestamptz NOT NULL,               -- when Stripe made the event
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  handled_at  timestamptz,
  outcome     text,                               -- handled, ignored, rejected
  quarantine  text,                               -- why an operator must look
  tries       integer NOT NULL DEFAULT 0,
  next_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS inbox_waiting ON payments.inbox (next_at)
  WHERE handled_at IS NULL AND quarantine IS NULL;
CREATE INDEX IF NOT EXISTS inbox_quarantine ON payments.inbox (received_at)
  WHERE quarantine IS NOT NULL AND handled_at IS NULL;

-- Read models, written in the transaction of the events that they follow from.
CREATE TABLE IF NOT EXISTS payments.objects (     -- which stream a Stripe object belongs to
  object   text PRIMARY KEY,
  stream   text NOT NULL
);
CREATE TABLE IF NOT EXISTS payments.purchases (
  purchase     text PRIMARY KEY,
  account      text NOT NULL,
  pack         text NOT NULL,
  credits      bigint NOT NULL,
  price_minor  bigint NOT NULL,
  currency     text NOT NULL,
  way          text NOT NULL,
  session      text NOT NULL DEFAULT '',
  intent       text NOT NULL DEFAULT '',
  state        text NOT NULL,
  quarantine   text NOT NULL DEFAULT '',
  initiated_at bigint NOT NULL,                   -- ms since the epoch, as the next three
  paid_at      bigint NOT NULL DEFAULT 0,
  credited_at  bigint NOT NULL DEFAULT 0,
  changed_at   bigint NOT NULL
);
ALTER TABLE payments.purchases ADD COLUMN IF NOT EXISTS frozen boolean NOT NULL DEFAULT false;
CREATE INDEX IF NOT EXISTS purchases_changed ON payments.purchases (changed_at);
CREATE INDEX IF NOT EXISTS purchases_account ON payments.purchases (account, initiated_at);
CREATE INDEX IF NOT EXISTS purchases_initiated ON payments.purchases (initiated_at);
CREATE INDEX IF NOT EXISTS purchases_held ON payments.purchases (changed_at)
  WHERE quarantine <> '' AND state <> 'rejected';

-- What must still be asked of Stripe: open refunds and top-ups; a row goes when it is settled.
CREATE TABLE IF NOT EXISTS payments.errands (
  stream   text NOT NULL,
  kind     text NOT NULL,
  name     text NOT NULL,
  tries    integer NOT NULL DEFAULT 0,
  next_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  why      text NOT NULL DEFAULT '',
  PRIMARY KEY (stream, kind, name)
);

-- Where the reader of ledger.events stands: top-ups that are due are never missed.
CREATE TABLE IF NOT EXISTS payments.positions (
  partition integer PRIMARY KEY,
  token     text NOT NULL,
  seq       bigint NOT NULL,
  "offset"  bigint NOT NULL
);
ALTER TABLE payments.positions ADD COLUMN IF NOT EXISTS commands_from bigint NOT NULL DEFAULT 0;

-- Commands of no purchase that the ledger refused and nobody has settled: a read model, too.
CREATE TABLE IF NOT EXISTS payments.refusals (
  refusal    text PRIMARY KEY,                    -- the stream
  account    text NOT NULL,
  command    text NOT NULL,
  kind       text NOT NULL,
  reason     text NOT NULL,
  refused_at bigint NOT NULL
);
