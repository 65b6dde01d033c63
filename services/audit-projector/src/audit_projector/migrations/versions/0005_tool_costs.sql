-- Runs in the schema on the search path. Tables are described in contracts/read-models.sql.

CREATE TABLE tool_costs (
    tool          text   NOT NULL,
    price_version text   NOT NULL,
    credits       bigint NOT NULL,
    runs          bigint NOT NULL,
    PRIMARY KEY (tool, price_version, credits)
);

-- What the log before said: as statements.TOOL_COSTS does it for every run that completes.
INSERT INTO tool_costs (tool, price_version, credits, runs)
SELECT tool, price_version,
    CASE WHEN charged < 256 THEN charged
         ELSE charged >> (length(ltrim(charged::bit(64)::text, '0')) - 8)
                      << (length(ltrim(charged::bit(64)::text, '0')) - 8) END,
    count(*)
FROM reservations
WHERE status = 'charged' AND outcome = 'completed' AND tool IS NOT NULL
    AND price_version IS NOT NULL
GROUP BY 1, 2, 3;

GRANT SELECT ON tool_costs TO scrip_projector, scrip_gateway;
GRANT INSERT, UPDATE, DELETE ON tool_costs TO scrip_projector;
