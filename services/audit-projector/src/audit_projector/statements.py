"""The SQL of a batch. Rows travel by COPY: new ones straight into their table, changes by staging.

`{read}` is the schema. Staging tables are temporary: never in the WAL, emptied by each commit.
"""

from typing import Final

from msgspec import Struct


class Step(Struct, frozen=True):
    """One table of a batch: copy rows in, then apply them. `exact`: each row must find its own."""

    copy: str
    apply: str = ""
    exact: bool = False


STAGING: Final = """
CREATE TEMP TABLE s_balances (LIKE {read}.balances) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_usage (LIKE {read}.usage) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_controls (LIKE {read}.controls) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_plans (LIKE {read}.plans) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_completed (account text, reservation text) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_upcoming (
    account text, grant_id text, amount bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_freezes (
    account text, grant_id text, reason text, at_ms bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_settled (
    account text, transfer text, returned bigint, settled_at_ms bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_lots (
    account text, grant_id text, available bigint, held bigint, expires_at_ms bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE s_reservations (
    account text, reservation text, status text, outcome text, amount bigint, held bigint,
    charged bigint, released bigint, refunded bigint, overrun bigint,
    expires_at_ms bigint, ended_at_ms bigint, last_version bigint
) ON COMMIT DELETE ROWS;
"""

# The rows of a batch are few against the tables: look each one up by its key. Without statistics
# of staging tables the planner would at times rather read a whole table.
SESSION: Final = """
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET jit = off; SET synchronous_commit = {synchronous_commit};
"""

POSITIONS: Final = """
SELECT partition, "offset", token, seq, commands_from, at_ms, skipped FROM {read}.progress
"""

REGISTER: Final = """
INSERT INTO {read}.progress (partition, "offset", token, seq, commands_from, at_ms, skipped)
SELECT partition, 0, '', 0, 0, 0, 0 FROM generate_series(0, %s - 1) AS partition
ON CONFLICT (partition) DO NOTHING
"""

# The offset that a batch began at must be the stored one: a second projector, or a rebuild, loses
# here and not in the sums.
ADVANCE: Final = """
UPDATE {read}.progress AS p
SET "offset" = n."offset", token = n.token, seq = n.seq, commands_from = n.commands_from,
    at_ms = greatest(p.at_ms, n.at_ms), skipped = p.skipped + n.skipped
FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[],
            %s::bigint[], %s::bigint[])
     AS n(partition, began, "offset", token, seq, commands_from, at_ms, skipped)
WHERE p.partition = n.partition AND p."offset" = n.began
"""

ENTRIES: Final = Step("""
COPY {read}.entries (version, seq, partition, "offset", at_ms, amount, moved, available, held,
    spent, answer, account, type, command_id, actor_kind, actor_id, reservation, charge, grant_id,
    tool, detail)
FROM STDIN (FORMAT binary)
""")

PARTITION_EVENTS: Final = Step("""
COPY {read}.partition_events (partition, "offset", seq, at_ms, type, detail)
FROM STDIN (FORMAT binary)
""")

BALANCES: Final = Step(
    """
COPY s_balances (account, available, held, spent, granted, received, expired, revoked, sent,
    version, as_of_ms, partition, "offset", debt)
FROM STDIN (FORMAT binary)
""",
    """
INSERT INTO {read}.balances AS b (account, available, held, spent, granted, received, expired,
    revoked, sent, version, as_of_ms, partition, "offset", debt)
SELECT account, available, held, spent, granted, received, expired,
    revoked, sent, version, as_of_ms, partition, "offset", debt FROM s_balances
ON CONFLICT (account) DO UPDATE SET
    available = excluded.available, held = excluded.held, spent = excluded.spent,
    granted = b.granted + excluded.granted, received = b.received + excluded.received,
    expired = b.expired + excluded.expired, revoked = b.revoked + excluded.revoked,
    sent = b.sent + excluded.sent, debt = b.debt + excluded.debt,
    version = excluded.version, as_of_ms = excluded.as_of_ms,
    partition = excluded.partition, "offset" = excluded."offset"
""",
)

NEW_LOTS: Final = Step("""
COPY {read}.lots (account, grant_id, kind, priority, amount, available, held, effective_from_ms,
    expires_at_ms, source, version, created_at_ms)
FROM STDIN (FORMAT binary)
""")

LOTS: Final = Step(
    """
COPY s_lots (account, grant_id, available, held, expires_at_ms) FROM STDIN (FORMAT binary)
""",
    """
UPDATE {read}.lots AS l SET available = l.available + s.available, held = l.held + s.held,
    expires_at_ms = coalesce(s.expires_at_ms, l.expires_at_ms)
FROM s_lots AS s WHERE l.account = s.account AND l.grant_id = s.grant_id
""",
    exact=True,
)

NEW_RESERVATIONS: Final = Step("""
COPY {read}.reservations (amount, held, charged, released, refunded, overrun, min, created_at_ms,
    expires_at_ms, opened_version, last_version, typical, ended_at_ms, account, reservation, tool,
    status, outcome, limits, estimate, price_version, parent, key, member, command_id)
FROM STDIN (FORMAT binary)
""")

RESERVATIONS: Final = Step(
    """
COPY s_reservations (account, reservation, status, outcome, amount, held, charged, released,
    refunded, overrun, expires_at_ms, ended_at_ms, last_version)
FROM STDIN (FORMAT binary)
""",
    """
UPDATE {read}.reservations AS r SET
    status = coalesce(s.status, r.status), outcome = coalesce(s.outcome, r.outcome),
    amount = r.amount + s.amount, held = r.held + s.held, charged = r.charged + s.charged,
    released = r.released + s.released, refunded = r.refunded + s.refunded,
    overrun = r.overrun + s.overrun, expires_at_ms = coalesce(s.expires_at_ms, r.expires_at_ms),
    ended_at_ms = coalesce(s.ended_at_ms, r.ended_at_ms), last_version = s.last_version
FROM s_reservations AS s WHERE r.account = s.account AND r.reservation = s.reservation
""",
    exact=True,
)

# Behind RESERVATIONS, whose rows then say all that a run was charged. See costs.counted_as.
TOOL_COSTS: Final = Step(
    """
COPY s_completed (account, reservation) FROM STDIN (FORMAT binary)
""",
    """
INSERT INTO {read}.tool_costs AS t (tool, price_version, credits, runs)
SELECT r.tool, r.price_version,
    CASE WHEN r.charged < 256 THEN r.charged
         ELSE r.charged >> (length(ltrim(r.charged::bit(64)::text, '0')) - 8)
                        << (length(ltrim(r.charged::bit(64)::text, '0')) - 8) END,
    count(*)
FROM s_completed AS s JOIN {read}.reservations AS r USING (account, reservation)
WHERE r.price_version IS NOT NULL
GROUP BY 1, 2, 3
ON CONFLICT (tool, price_version, credits) DO UPDATE SET runs = t.runs + excluded.runs
""",
)

USAGE: Final = Step(
    """
COPY s_usage (account, bucket_ms, tool, runs, completed, failed, charged, refunded)
FROM STDIN (FORMAT binary)
""",
    """
INSERT INTO {read}.usage AS u (account, bucket_ms, tool, runs, completed, failed, charged, refunded)
SELECT account, bucket_ms, tool, runs, completed, failed, charged, refunded FROM s_usage
ON CONFLICT (account, bucket_ms, tool) DO UPDATE SET
    runs = u.runs + excluded.runs, completed = u.completed + excluded.completed,
    failed = u.failed + excluded.failed, charged = u.charged + excluded.charged,
    refunded = u.refunded + excluded.refunded
""",
)

CONTROLS: Final = Step(
    """
COPY s_controls (account, controls, version, at_ms) FROM STDIN (FORMAT binary)
""",
    """
INSERT INTO {read}.controls AS c (account, controls, version, at_ms)
SELECT account, controls, version, at_ms FROM s_controls
ON CONFLICT (account) DO UPDATE SET
    controls = excluded.controls, version = excluded.version, at_ms = excluded.at_ms
""",
)

FREEZES: Final = Step(
    """
COPY s_freezes (account, grant_id, reason, at_ms) FROM STDIN (FORMAT binary)
""",
    """
WITH over AS (
    DELETE FROM {read}.freezes AS f USING s_freezes AS s
    WHERE s.at_ms IS NULL AND f.account = s.account AND f.grant_id = s.grant_id
        AND f.reason = s.reason
)
INSERT INTO {read}.freezes (account, grant_id, reason, at_ms)
SELECT account, grant_id, reason, at_ms FROM s_freezes WHERE at_ms IS NOT NULL
ON CONFLICT (account, grant_id, reason) DO UPDATE SET at_ms = excluded.at_ms
""",
)

PLANS: Final = Step(
    """
COPY s_plans (account, plan, start_ms, end_ms, credits, day_limit, given, version, at_ms)
FROM STDIN (FORMAT binary)
""",
    """
INSERT INTO {read}.plans AS p (account, plan, start_ms, end_ms, credits, day_limit, given,
    version, at_ms)
SELECT account, plan, start_ms, end_ms, credits, day_limit, given, version, at_ms FROM s_plans
ON CONFLICT (account) DO UPDATE SET
    plan = excluded.plan, start_ms = excluded.start_ms, end_ms = excluded.end_ms,
    credits = excluded.credits, day_limit = excluded.day_limit, given = excluded.given,
    version = excluded.version, at_ms = excluded.at_ms
""",
)

TRANSFERS: Final = Step(
    """
COPY {read}.transfers (account, transfer, receiver, amount, sent_at_ms) FROM STDIN (FORMAT binary)
"""
)

SETTLED: Final = Step(
    """
COPY s_settled (account, transfer, returned, settled_at_ms) FROM STDIN (FORMAT binary)
""",
    """
UPDATE {read}.transfers AS t SET returned = s.returned, settled_at_ms = s.settled_at_ms
FROM s_settled AS s WHERE t.account = s.account AND t.transfer = s.transfer
""",
    exact=True,
)

UPCOMING: Final = Step(
    """
COPY {read}.upcoming (account, grant_id, kind, priority, amount, effective_from_ms, expires_at_ms,
    source, version, created_at_ms)
FROM STDIN (FORMAT binary)
"""
)

UPCOMING_LEFT: Final = Step(
    """
COPY s_upcoming (account, grant_id, amount) FROM STDIN (FORMAT binary)
""",
    """
UPDATE {read}.upcoming AS u SET amount = s.amount
FROM s_upcoming AS s WHERE u.account = s.account AND u.grant_id = s.grant_id
""",
    exact=True,
)
