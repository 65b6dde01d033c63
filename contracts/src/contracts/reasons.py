"""Every reason for a no, and what fixes it: a closed list, so that callers can act on it.

A refusal is an event with one of these; the gateway maps them to HTTP by a table; metrics use them
as label values. A reason is never renamed: it is in the log for ever.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a command was refused."""

    # the command itself
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    LIFETIME_OUT_OF_RANGE = "lifetime_out_of_range"
    REQUESTED_LIMITS_INVALID = "requested_limits_invalid"
    CONTROLS_INVALID = "controls_invalid"
    EXPIRY_IN_THE_PAST = "expiry_in_the_past"
    ACCOUNT_RESERVED = "account_reserved"
    ISSUED_IN_THE_FUTURE = "issued_in_the_future"
    ID_CONFLICT = "id_conflict"
    DEADLINE = "deadline"
    NOT_AVAILABLE_YET = "not_available_yet"
    NOT_PERMITTED = "not_permitted"
    SECOND_PERSON_NEEDED = "second_person_needed"
    # the tool
    TOOL_UNKNOWN = "tool_unknown"
    TOOL_DISABLED = "tool_disabled"
    TOOL_CLIENT_ONLY = "tool_client_only"
    PLAN_UNKNOWN = "plan_unknown"
    PLAN_LACKS_FEATURE = "plan_lacks_feature"
    ESTIMATE_UNKNOWN = "estimate_unknown"
    ESTIMATE_MISMATCH = "estimate_mismatch"
    # money and limits
    INSUFFICIENT_CREDITS = "insufficient_credits"
    RUN_LIMIT = "run_limit"
    CONCURRENCY_LIMIT = "concurrency_limit"
    PARENT_LIMIT = "parent_limit"
    KEY_LIMIT = "key_limit"
    MEMBER_LIMIT = "member_limit"
    TOOL_LIMIT = "tool_limit"
    DAY_LIMIT = "day_limit"
    MONTH_LIMIT = "month_limit"
    ACCOUNT_FROZEN = "account_frozen"
    # what the command names
    RESERVATION_UNKNOWN = "reservation_unknown"
    RESERVATION_EXPIRED = "reservation_expired"
    RESERVATION_ENDED = "reservation_ended"
    EXCEEDS_RESERVATION = "exceeds_reservation"
    CHARGE_UNKNOWN = "charge_unknown"
    EXCEEDS_CHARGE = "exceeds_charge"
    GRANT_UNKNOWN = "grant_unknown"
    GRANT_EXISTS = "grant_exists"
    EXCEEDS_GRANT = "exceeds_grant"
    SOURCE_ALREADY_GRANTED = "source_already_granted"
    NOT_FROZEN = "not_frozen"
    RECEIVER_INVALID = "receiver_invalid"
    NOT_TRANSFERABLE = "not_transferable"
    TRANSFER_UNKNOWN = "transfer_unknown"
    TRANSFER_RECEIVED = "transfer_received"
    NOT_DUE = "not_due"


class Remedy(StrEnum):
    """What fixes a refusal, in one word that a program can act on."""

    TOP_UP = "top_up"
    WAIT_FOR_RESET = "wait_for_reset"
    RAISE_LIMIT = "raise_limit"
    CHANGE_REQUEST = "change_request"
    ESTIMATE_AGAIN = "estimate_again"
    WAIT_FOR_RUNS = "wait_for_runs"
    CHANGE_PLAN = "change_plan"
    CONTACT_SUPPORT = "contact_support"
    NONE = "none"


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RejectReason(StrEnum):
    """Why the bytes of a command could not be taken as a command."""

    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    WRONG_KEY = "wrong_key"
    WRONG_PARTITION = "wrong_partition"
