"""Units and bounds that every part of Scrip agrees on: credits, milliseconds, ids."""

from typing import Annotated, TypeAlias

from msgspec import Meta

Credits: TypeAlias = int  # a whole number of the smallest credit unit
Ms: TypeAlias = int  # milliseconds; an instant is counted from the epoch in UTC

ID_LENGTH_MAX = 64  # characters; a UUID with a prefix and a step fits twice over
AMOUNT_MAX = 1_000_000_000_000  # credits; far above any balance, exact in every JSON reader
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FOREVER: Ms = 253_402_300_800_000  # the year 10000: "never expires" without a special case

COMMAND_AGE_MAX_MS = DAY  # a first try older than this is not decided: the caller gave up long ago
CLOCK_AHEAD_MAX_MS = HOUR  # a first try dated later than this ahead of the broker is refused
ANSWER_KEPT_MS = COMMAND_AGE_MAX_MS + CLOCK_AHEAD_MAX_MS  # no retry outlives its first answer
REFUND_DAYS = 180  # how long a charge can be refunded, where the catalogue does not say otherwise
BATCH_BYTES_MAX = 1 << 20  # one record batch; the broker refuses larger ones
RECORD_BYTES_MAX = 64 << 10  # one command or run message
ANONYMOUS = "anonymous"  # the reserved account: it can be estimated for, nothing else

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=ID_LENGTH_MAX)]
