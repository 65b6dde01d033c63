-- Runs in the schema on the search path. Tables are described in contracts/read-models.sql.

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

GRANT SELECT ON upcoming TO scrip_projector, scrip_gateway;
GRANT INSERT, UPDATE, DELETE ON upcoming TO scrip_projector;
