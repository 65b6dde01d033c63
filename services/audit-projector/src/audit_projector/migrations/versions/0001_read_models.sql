-- Runs in the schema on the search path. Tables are described in contracts/read-models.sql.
-- fillfactor: rows that are updated in every batch find room on their own page (HOT updates), so
-- that no index is touched.

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
    version     bigint NOT NULL,
    as_of_ms    bigint NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE lots (
    account           text   NOT NULL,
    grant_id          text   NOT NULL,
    kind              text   NOT NULL,
    priority          integer NOT NULL,
    amount            bigint NOT NULL,
    available         bigint NOT NULL,
    held              bigint NOT NULL,
    effective_from_ms bigint NOT NULL,
    expires_at_ms     bigint NOT NULL,
    source            text   NOT NULL,
    version           bigint NOT NULL,
    created_at_ms     bigint NOT NULL,
    PRIMARY KEY (account, grant_id)
) WITH (fillfactor = 50);

CREATE TABLE reservations (
    account        text   NOT NULL,
    reservation    text   NOT NULL,
    tool           text,
    status         text   NOT NULL,
    outcome        text,
    amount         bigint NOT NULL,
    held           bigint NOT NULL,
    charged        bigint NOT NULL,
    released       bigint NOT NULL,
    refunded       bigint NOT NULL,
    overrun        bigint NOT NULL,
    min            bigint NOT NULL,
    typical        bigint,
    limits         jsonb,
    estimate       text,
    price_version  text,
    parent         text,
    key            text,
    member         text,
    command_id     text   NOT NULL,
    created_at_ms  bigint NOT NULL,
    expires_at_ms  bigint NOT NULL,
    ended_at_ms    bigint,
    opened_version bigint NOT NULL,
    last_version   bigint NOT NULL,
    PRIMARY KEY (account, reservation)
) WITH (fillfactor = 80);

CREATE INDEX reservations_open ON reservations (account, created_at_ms) WHERE status = 'open';

CREATE TABLE entries (
    account     text   NOT NULL,
    version     bigint NOT NULL,
    seq         bigint NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    at_ms       bigint NOT NULL,
    type        text   NOT NULL,
    amount      bigint NOT NULL,
    moved       bigint NOT NULL,
    available   bigint NOT NULL,
    held        bigint NOT NULL,
    spent       bigint NOT NULL,
    answer      boolean NOT NULL,
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

CREATE TABLE usage (
    account   text   NOT NULL,
    bucket_ms bigint NOT NULL,
    tool      text   NOT NULL,
    runs      bigint NOT NULL,
    completed bigint NOT NULL,
    failed    bigint NOT NULL,
    charged   bigint NOT NULL,
    refunded  bigint NOT NULL,
    PRIMARY KEY (account, bucket_ms, tool)
) WITH (fillfactor = 50);

CREATE TABLE controls (
    account  text   NOT NULL PRIMARY KEY,
    controls jsonb  NOT NULL,
    version  bigint NOT NULL,
    at_ms    bigint NOT NULL
);

CREATE TABLE partition_events (
    partition integer NOT NULL,
    "offset"  bigint NOT NULL,
    seq       bigint NOT NULL,
    at_ms     bigint NOT NULL,
    type      text   NOT NULL,
    detail    jsonb  NOT NULL,
    PRIMARY KEY (partition, "offset")
);

CREATE TABLE progress (
    partition     integer NOT NULL PRIMARY KEY,
    "offset"      bigint NOT NULL,
    token         text   NOT NULL,
    seq           bigint NOT NULL,
    commands_from bigint NOT NULL,
    at_ms         bigint NOT NULL,
    skipped       bigint NOT NULL
) WITH (fillfactor = 20);

-- The statement is a book: whoever owns the table, nothing in it is ever changed or taken out.
CREATE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is insert-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING HINT = 'scrip audit-projector rebuild makes it anew from the log';
END $$;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON partition_events
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Roles belong to the whole server: another database of it may have made them already, even now.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['scrip_projector', 'scrip_gateway'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), wanted);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', current_schema(), wanted);
    END LOOP;
END $$;

GRANT INSERT ON entries, partition_events TO scrip_projector;
GRANT INSERT, UPDATE ON balances, lots, reservations, usage, controls, progress TO scrip_projector;
