-- Runs in the schema on the search path. Tables are described in contracts/read-models.sql.

ALTER TABLE balances ADD COLUMN debt bigint NOT NULL DEFAULT 0;

CREATE TABLE freezes (
    account  text   NOT NULL,
    grant_id text   NOT NULL,
    reason   text   NOT NULL,
    at_ms    bigint NOT NULL,
    PRIMARY KEY (account, grant_id, reason)
);

GRANT SELECT ON freezes TO scrip_projector, scrip_gateway;
GRANT INSERT, UPDATE, DELETE ON freezes TO scrip_projector;
