-- Runs in the schema on the search path. Tables are described in contracts/read-models.sql.

CREATE TABLE plans (
    account   text   NOT NULL PRIMARY KEY,
    plan      text   NOT NULL,
    start_ms  bigint NOT NULL,
    end_ms    bigint NOT NULL,
    credits   bigint NOT NULL,
    day_limit bigint NOT NULL,
    given     bigint NOT NULL,
    version   bigint NOT NULL,
    at_ms     bigint NOT NULL
);

GRANT SELECT ON plans TO scrip_projector, scrip_gateway;
GRANT INSERT, UPDATE, DELETE ON plans TO scrip_projector;
