-- Runs in the schema on the search path. Tables are described in contracts/read-models.sql.

CREATE TABLE transfers (
    account       text   NOT NULL,
    transfer      text   NOT NULL,
    receiver      text   NOT NULL,
    amount        bigint NOT NULL,
    returned      bigint,
    sent_at_ms    bigint NOT NULL,
    settled_at_ms bigint,
    PRIMARY KEY (account, transfer)
);

GRANT SELECT ON transfers TO scrip_projector, scrip_gateway;
GRANT INSERT, UPDATE, DELETE ON transfers TO scrip_projector;
