"""Run messages: a run asked for, handed to a worker, and what came of it.

Input and output travel here and never enter an event; events know their hashes at most.
"""

from enum import StrEnum

import msgspec
from msgspec import Struct

from contracts.commands import Actor, Limits, Usage
from contracts.reasons import Reason
from contracts.units import Credits, Id, Ms

INPUT_BYTES_MAX = 32 << 10  # a run's input; fits a Kafka record with its envelope


class RunOutcome(StrEnum):
    """What came of a run."""

    COMPLETED = "completed"
    INVALID_INPUT = "invalid_input"
    FAILED = "failed"
    NOT_AVAILABLE = "not_available"
    REFUSED = "refused"


class RunRequested(Struct, rename="camel", omit_defaults=True, gc=False):
    """On `tool-runs.requests`, keyed by account: an internal service asks for a run.

    `run` is the caller's idempotency key: the same run asked for twice runs and costs once.
    """

    run: Id
    account: Id
    tool: Id
    input: msgspec.Raw
    actor: Actor
    limits: Limits | None = None
    issued_at: Ms | None = None
    deadline: Ms | None = None


class RunDispatched(Struct, rename="camel", omit_defaults=True, gc=False):
    """On `tool-runs.dispatch`, keyed by run: the credits are held, run it now.

    `limits` are what was reserved for; past `expires_at` the reservation is gone: do not start.
    """

    run: Id
    account: Id
    tool: Id
    reservation: Id
    input: msgspec.Raw
    limits: Limits
    expires_at: Ms


class RunError(Struct, rename="camel", omit_defaults=True, gc=False):
    """Why there is no result: a stable code, and a sentence that says what to do."""

    code: str
    message: str
    reason: Reason | None = None


class RunResult(Struct, rename="camel", omit_defaults=True, gc=False):
    """On `tool-runs.results`, keyed by run. `charged` says what the ledger's event said.

    `result` is the tool's JSON, empty when there is none: Raw beside None does not decode.
    """

    run: Id
    account: Id
    tool: Id
    outcome: RunOutcome
    result: msgspec.Raw = msgspec.Raw()
    error: RunError | None = None
    usage: Usage | None = None
    charged: Credits | None = None
