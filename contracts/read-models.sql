-- The read models: what a reader may rely on. The audit-projector writes them, nobody else does.
--
-- Everything here is a fold of the counted events of `ledger.events` and can be rebuilt from offset
-- 0. Each transaction of the projector moves all tables and `progress` together, so that any one
-- snapshot is the truth as of exactly those positions. A reader names its columns, tolerates new
-- ones, and uses a role that may only SELECT (scrip_gateway).
--
-- Amounts are whole numbers of the smallest credit unit. Columns that end in _ms are milliseconds
-- since the epoch, UTC, by the broker's clock. Accounts, reservations, grants are opaque ids.

CREATE SCHEMA IF NOT EXISTS read;
SET search_path TO read;

-- One row per account that ever had an event. available, held and spent are what the account's
-- newest event says; the other parts are sums over its events:
--   granted + received = available + scheduled + held + spent + expired + revoked + sent
-- where scheduled is what lies in lots that are not effective yet (see lots.effective_from_ms).
CREATE TABLE balances (
    account     text   NOT NULL PRIMARY KEY,
    available   bigint NOT NULL,
    held        bigint NOT NULL,
    spent       bigint NOT NULL,
    granted     bigint NOT NULL,
    received    bigint NOT NULL,
    expired     bigint NOT NULL,
    revoked     bigint NOT NULL,
    sent        bigint NOT NULL,
    version     bigint NOT NULL,  -- of the account's newest event; gapless from 1
    as_of_ms    bigint NOT NULL,  -- when that event happened
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,  -- where that event lies
    debt        bigint NOT NULL DEFAULT 0  -- owed of revoked grants; beside the sums above
);

-- What is left of each grant. Usable now: effective_from_ms <= now < expires_at_ms. Burn-down
-- order: priority, expires_at_ms, then version (oldest first). A lot stays here at 0.
CREATE TABLE lots (
    account           text   NOT NULL,
    grant_id          text   NOT NULL,
    kind              text   NOT NULL,  -- paid, plan, promo, gift, goodwill, topup, transfer
    priority          integer NOT NULL,
    amount            bigint NOT NULL,  -- as granted
    available         bigint NOT NULL,
    held              bigint NOT NULL,
    effective_from_ms bigint NOT NULL,
    expires_at_ms     bigint NOT NULL,  -- 253402300800000 is "never"
    source            text   NOT NULL,
    version           bigint NOT NULL,  -- of the event that made it
    created_at_ms     bigint NOT NULL,
    PRIMARY KEY (account, grant_id)
);

-- One row per reservation, for ever. status: open, charged (ended by a final charge), released,
-- expired. While open: held = amount - charged - released. A nested one has a `parent` and took its
-- amount from the parent's; what it does not use goes back there while the parent is open. Its events lie in entries with
-- version between opened_version and last_version.
CREATE TABLE reservations (
    account        text   NOT NULL,
    reservation    text   NOT NULL,
    tool           text,              -- null: a plain amount
    status         text   NOT NULL,
    outcome        text,              -- completed, failed, cancelled; null while open or expired
    amount         bigint NOT NULL,   -- reserved, with every extension
    held           bigint NOT NULL,   -- still set aside
    charged        bigint NOT NULL,
    released       bigint NOT NULL,   -- went back, or was lost because its lot had expired
    refunded       bigint NOT NULL,
    overrun        bigint NOT NULL,   -- used beyond what could be charged
    min            bigint NOT NULL,   -- a charge is at least this
    typical        bigint,
    limits         jsonb,             -- {"cpuMs":…,"memoryMb":…,"durationMs":…}
    estimate       text,
    price_version  text,
    parent         text,
    key            text,
    member         text,
    command_id     text   NOT NULL,   -- of the Reserve
    created_at_ms  bigint NOT NULL,
    expires_at_ms  bigint NOT NULL,
    ended_at_ms    bigint,
    opened_version bigint NOT NULL,
    last_version   bigint NOT NULL,
    PRIMARY KEY (account, reservation)
);
-- "what is open for this account"
CREATE INDEX reservations_open ON reservations (account, created_at_ms) WHERE status = 'open';

-- The statement: every counted event of an account, once. Insert only.
--   amount: what the event did to what the account owns and can use or holds, signed:
--     granted, received, refunded, returned  +     charged, expired, revoked, sent, lost  -
--     reserved, extended, released and everything else  0   (credits only change places)
--   moved: the amount that the event is about, unsigned (reserved 50 → 50); 0 when about none.
--   available, held, spent: the account after the event.
--   detail: the event's own fields as in contracts/schemas (slices, usage, limits, reason, …).
CREATE TABLE entries (
    account     text   NOT NULL,
    version     bigint NOT NULL,
    seq         bigint NOT NULL,   -- of the partition
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    at_ms       bigint NOT NULL,
    type        text   NOT NULL,   -- CreditsReserved, CreditsCharged, CommandRefused, …
    amount      bigint NOT NULL,
    moved       bigint NOT NULL,
    available   bigint NOT NULL,
    held        bigint NOT NULL,
    spent       bigint NOT NULL,
    answer      boolean NOT NULL,  -- the command's answer, the last of its events
    command_id  text   NOT NULL,
    actor_kind  text   NOT NULL,
    actor_id    text   NOT NULL,
    reservation text,
    charge      text,
    grant_id    text,
    tool        text,
    detail      jsonb  NOT NULL,
    PRIMARY KEY (account, version)
);

-- What was run and what it cost, in buckets of 15 minutes of UTC: every time zone's days and
-- months are whole sums of them. An event counts in the bucket of its own time. tool is '' for
-- reservations of a plain amount.
CREATE TABLE usage (
    account   text   NOT NULL,
    bucket_ms bigint NOT NULL,
    tool      text   NOT NULL,
    runs      bigint NOT NULL,  -- reservations made
    completed bigint NOT NULL,  -- ended by a final charge of a completed run
    failed    bigint NOT NULL,  -- ended in any other way
    charged   bigint NOT NULL,  -- credits
    refunded  bigint NOT NULL,  -- credits
    PRIMARY KEY (account, bucket_ms, tool)
);

-- How many completed runs of a tool cost how much, under the price version they were held at.
-- credits is exact below 256; of more, all but the first eight binary digits are 0.
CREATE TABLE tool_costs (
    tool          text   NOT NULL,
    price_version text   NOT NULL,
    credits       bigint NOT NULL,
    runs          bigint NOT NULL,
    PRIMARY KEY (tool, price_version, credits)
);

-- The newest settings of an account's owner; no row: the defaults of contracts.commands.Controls.
CREATE TABLE controls (
    account  text   NOT NULL PRIMARY KEY,
    controls jsonb  NOT NULL,
    version  bigint NOT NULL,
    at_ms    bigint NOT NULL
);

-- The plan that an account was put on last, and the newest period that the ledger has begun of it;
-- the next one begins when the account is touched or soon after. No row: no plan.
CREATE TABLE plans (
    account   text   NOT NULL PRIMARY KEY,
    plan      text   NOT NULL,
    start_ms  bigint NOT NULL,
    end_ms    bigint NOT NULL,
    credits   bigint NOT NULL,  -- of a whole period
    day_limit bigint NOT NULL,  -- of these credits, a day
    given     bigint NOT NULL,  -- for this period so far
    version   bigint NOT NULL,
    at_ms     bigint NOT NULL
);

-- What stands frozen now. grant_id is '' for the whole account; several reasons can stand beside
-- each other. Amounts do not move by a freeze.
CREATE TABLE freezes (
    account  text   NOT NULL,
    grant_id text   NOT NULL,
    reason   text   NOT NULL,
    at_ms    bigint NOT NULL,  -- when it was last asked for
    PRIMARY KEY (account, grant_id, reason)
);

-- Transfers by their sender: under way until settled; `returned` came back, 0 or all of it.
CREATE TABLE transfers (
    account       text   NOT NULL,
    transfer      text   NOT NULL,
    receiver      text   NOT NULL,
    amount        bigint NOT NULL,
    returned      bigint,  -- null: under way
    sent_at_ms    bigint NOT NULL,
    settled_at_ms bigint,
    PRIMARY KEY (account, transfer)
);

-- Grants that begin later: `amount` is what will, 0 once it has begun as a lot or was taken back.
CREATE TABLE upcoming (
    account           text    NOT NULL,
    grant_id          text    NOT NULL,
    kind              text    NOT NULL,
    priority          integer NOT NULL,
    amount            bigint  NOT NULL,
    effective_from_ms bigint  NOT NULL,
    expires_at_ms     bigint  NOT NULL,
    source            text    NOT NULL,
    version           bigint  NOT NULL,
    created_at_ms     bigint  NOT NULL,
    PRIMARY KEY (account, grant_id)
);

-- Counted events that belong to no account (an undecodable command, a checkpoint). Insert only.
CREATE TABLE partition_events (
    partition integer NOT NULL,
    "offset"  bigint NOT NULL,
    seq       bigint NOT NULL,
    at_ms     bigint NOT NULL,
    type      text   NOT NULL,
    detail    jsonb  NOT NULL,
    PRIMARY KEY (partition, "offset")
);

-- How far the read models are, per partition: everything before "offset" is in them.
CREATE TABLE progress (
    partition     integer NOT NULL PRIMARY KEY,
    "offset"      bigint NOT NULL,  -- the next record to read
    token         text   NOT NULL,  -- of the newest claim
    seq           bigint NOT NULL,  -- the last counted event
    commands_from bigint NOT NULL,
    at_ms         bigint NOT NULL,  -- broker's timestamp of the last record applied
    skipped       bigint NOT NULL   -- records that did not count; must stay 0
);
