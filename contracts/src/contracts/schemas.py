"""What travels over Kafka, as documents for readers who do not read Python.

One JSON Schema for each union (commands, events, run messages), each message a definition of its
own, and one AsyncAPI 3 document of the topics that refers to them. Generated from the structs that
encode and decode, so they cannot disagree.
"""

from inspect import cleandoc
from typing import Any, TypeAlias, get_args

import msgspec

from contracts.commands import AnyCommand
from contracts.events import VERSIONS, AnyRecord
from contracts.history import ToolHistory
from contracts.notifications import Notification
from contracts.runs import RunDispatched, RunRequested, RunResult
from contracts.topics import (
    COMMANDS,
    EVENTS,
    NOTIFICATIONS,
    NOTIFIER_GIFTS,
    PARTITIONS_LOCAL,
    RUN_DISPATCH,
    RUN_REQUESTS,
    RUN_RESULTS,
    SNAPSHOTS,
    TOOL_HISTORY,
    Topic,
)

Document: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = "schemas"
_REF = "#/$defs/{name}"


class _Travels(msgspec.Struct, frozen=True):
    """What a topic carries: the messages, their schema's file, the key, who writes and reads."""

    topic: Topic
    file: str
    kinds: tuple[type, ...]
    key: str
    says: str
    writers: str
    readers: str


_FILES: dict[str, tuple[str, tuple[type, ...]]] = {
    "commands.schema.json": ("Commands of ledger.commands", get_args(AnyCommand)),
    "events.schema.json": ("Events of ledger.events", get_args(AnyRecord)),
    "runs.schema.json": ("Run messages", (RunRequested, RunDispatched, RunResult)),
    "history.schema.json": ("Figures of tools.history", (ToolHistory,)),
    "notifications.schema.json": ("Notifications", (Notification,)),
}
_TRAVELS = (
    _Travels(
        COMMANDS,
        "commands.schema.json",
        get_args(AnyCommand),
        "the account",
        "What anyone may ask of the ledger.",
        "gateway, payments, tool workers, the ledger's courier",
        "ledger",
    ),
    _Travels(
        EVENTS,
        "events.schema.json",
        get_args(AnyRecord),
        "the account",
        "What happened, for ever. An event counts only by the reader rule: it names the newest"
        " claim's token and its seq is the last counted one + 1.",
        "ledger",
        "everyone",
    ),
    _Travels(
        SNAPSHOTS,
        "",
        (),
        "a bucket of accounts",
        "The ledger's own memory, in the ledger's own encoding, which changes with any release."
        " Nothing can be learned here that the events do not say.",
        "ledger",
        "ledger",
    ),
    _Travels(
        RUN_REQUESTS,
        "runs.schema.json",
        (RunRequested,),
        "the account",
        "An internal service asks for a run.",
        "internal services",
        "gateway",
    ),
    _Travels(
        RUN_DISPATCH,
        "runs.schema.json",
        (RunDispatched,),
        "the run",
        "The credits are held: run it.",
        "gateway",
        "tool workers",
    ),
    _Travels(
        RUN_RESULTS,
        "runs.schema.json",
        (RunResult,),
        "the run",
        "What came of a run.",
        "tool workers, gateway",
        "gateway, callers",
    ),
    _Travels(
        TOOL_HISTORY,
        "history.schema.json",
        (ToolHistory,),
        "the tool and the price version",
        "What runs have cost so far, for the estimates of the next ones. Only the newest is kept.",
        "audit-projector",
        "ledger",
    ),
    _Travels(
        NOTIFICATIONS,
        "notifications.schema.json",
        (Notification,),
        "the account",
        "What the owner of an account is told. At least once: act once for each id. A reader skips"
        " a kind that it does not know.",
        "notifier; the gateway for test alerts",
        "gateway",
    ),
    _Travels(
        NOTIFIER_GIFTS,
        "",
        (),
        "the gift",
        "The notifier's own memory: who made a gift. Nothing can be learned here that the events do"
        " not say.",
        "notifier",
        "notifier",
    ),
)


def json_schemas() -> dict[str, Document]:
    """The JSON Schemas by file name."""
    return {name: _schema(title, kinds) for name, (title, kinds) in _FILES.items()}


def asyncapi(version: str) -> Document:
    """The AsyncAPI 3 document; its references are relative to the folder it lies in."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Scrip on Kafka",
            "version": version,
            "description": "The topics, what they carry, and the settings their promises need."
            " The partition of a key is Kafka's own murmur2, the same in every language.",
        },
        "defaultContentType": "application/json",
        "channels": {_id(x.topic): _channel(x) for x in _TRAVELS},
        "operations": {
            f"{action}-{_id(x.topic)}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{_id(x.topic)}"},
                "summary": f"By: {who}.",
            }
            for x in _TRAVELS
            for action, who in (("send", x.writers), ("receive", x.readers))
        },
        "components": {
            "messages": {
                kind.__name__: _message(kind, x.file) for x in _TRAVELS for kind in x.kinds
            }
        },
    }


def _schema(title: str, kinds: tuple[type, ...]) -> Document:
    _, parts = msgspec.json.schema_components(map(_describable, kinds), ref_template=_REF)
    for kind in kinds:
        part = parts[kind.__name__]
        part["x-version"] = VERSIONS.get(kind.__name__, 1)
        if "type" in part["properties"] and "type" not in part["required"]:
            part["required"] = ["type", *part["required"]]
    for part in parts.values():
        part["description"] = cleandoc(part.get("description", ""))
    return {
        "$schema": DIALECT,
        "title": title,
        "description": "Generated by `scrip contracts schemas`. Amounts are whole numbers of the"
        " smallest credit unit, times milliseconds since the epoch in UTC. Readers ignore fields"
        " they do not know.",
        "anyOf": [{"$ref": _REF.format(name=kind.__name__)} for kind in kinds],
        "$defs": dict(sorted(parts.items())),
    }


def _describable(kind: type) -> type:
    """The struct itself; where a default is raw JSON, which no schema can show, one without it."""
    fields = msgspec.structs.fields(kind)
    if not any(isinstance(field.default, msgspec.Raw) for field in fields):
        return kind
    return msgspec.defstruct(
        kind.__name__,
        [
            (field.encode_name, field.type)
            if field.required
            else (field.encode_name, field.type, msgspec.field(default_factory=_absent))
            for field in fields
        ],
        namespace={"__doc__": kind.__doc__},
        kw_only=True,
    )


def _absent() -> None:
    """Stand for a default that the schema does not show."""


def _id(topic: Topic) -> str:
    return topic.name.replace(".", "-")


def _channel(travels: _Travels) -> Document:
    return {
        "address": travels.topic.name,
        "description": travels.says,
        "messages": {
            kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"}
            for kind in travels.kinds
        },
        "bindings": {
            "kafka": {
                "topic": travels.topic.name,
                "partitions": PARTITIONS_LOCAL,
                "topicConfiguration": {
                    name: int(value) if value.lstrip("-").isdecimal() else value
                    for name, value in _described_settings(travels.topic).items()
                },
                "bindingVersion": "0.5.0",
            }
        },
        "x-key": travels.key,
        "x-settings": dict(travels.topic.settings),
    }


def _described_settings(topic: Topic) -> dict[str, Any]:
    """The settings that the Kafka binding has words for; all of them stand in x-settings."""
    known = {"retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"}
    return {name: value for name, value in topic.settings.items() if name in known}


def _message(kind: type, file: str) -> Document:
    return {
        "name": kind.__name__,
        "summary": (kind.__doc__ or "").partition("\n")[0],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-07",
            "schema": {"$ref": f"./{FOLDER}/{file}#/$defs/{kind.__name__}"},
        },
    }
