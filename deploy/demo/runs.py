"""Scenes about runs: a price before, a result and a charge after, over HTTP and over Kafka."""

import asyncio
import json
from typing import Any

import msgspec
from aiokafka import TopicPartition
from bus import kafka
from bus.outbox import Outbox
from bus.partition import partition_of
from bus.topics import partitions_of
from contracts.commands import Actor, ActorKind
from contracts.runs import RunOutcome, RunRequested, RunResult
from contracts.topics import RUN_REQUESTS, RUN_RESULTS

from contracts import codec
from deploy.demo.client import Client
from deploy.demo.house import DemoFailed
from deploy.demo.screen import Screen

RESULT_WITHIN_S = 30.0
API = {
    "title": "Library",
    "resources": [
        {"name": "book", "fields": [{"name": "title"}, {"name": "pages", "type": "integer"}]},
        {"name": "member", "fields": [{"name": "email", "type": "email"}]},
    ],
}
SOURCE = {
    "files": [
        {
            "path": "app.py",
            "content": "import subprocess as sp\npassword = 'hV7-pQ2x_Kd91z'\n"
            "sp.run(command, shell=True)\n",
        }
    ]
}
ROWS = {
    "rows": [
        {"id": 1, "email": "ada@example.org"},
        {"id": 2, "email": ""},
        {"id": 2, "email": "not an address"},
    ],
    "rules": [
        {"rule": "unique", "columns": ["id"]},
        {"rule": "required", "column": "email"},
        {"rule": "pattern", "column": "email", "regex": "[^@ ]+@[^@ ]+"},
    ],
}
RISKS = {
    "appetite": 6,
    "risks": [
        {"title": "Stolen laptop", "likelihood": 4, "impact": 4, "owner": "IT"},
        {"title": "Phishing", "likelihood": 5, "impact": 4, "category": "people"},
    ],
}


async def estimate(screen: Screen, client: Client, account: str) -> None:
    """What would it cost? Nothing is held, nothing is spent."""
    screen.scene("An estimate, before anything is spent")
    shown = await client.post(
        "/v1/estimates",
        f"{account}-estimate",
        {"account": account, "toolId": "dev-studio-api-designer"},
    )
    screen.fact(
        "dev-studio-api-designer",
        f"{shown['min']} to {shown['max']} credits, "
        f"typically {shown['typical']}; allowed: {'yes' if shown['allowed'] else 'no'}",
    )
    screen.fact(
        "priced by", f"catalogue {shown['priceVersion']}, honoured until {shown['validUntil']}"
    )


async def over_http(screen: Screen, client: Client, account: str) -> None:
    """Three tools: reserve, run, charge by what the operating system measured."""
    screen.scene("Three tools run for real, over HTTP")
    for path, given, found in (
        ("/api/dev-studio/api-designer/run", API, _paths),
        ("/api/dev-studio/security/run", SOURCE, _findings),
        ("/api/data-studio/quality/run", ROWS, _broken_rules),
    ):
        tool = path.split("/")[3]
        body = {"input": given}
        ran = await client.post(f"{path}", f"{account}-{tool}", body)
        screen.fact(tool, f"{found(ran['result'])} · {_cost(ran)}")
    again = await client.post(
        "/api/dev-studio/security/run", f"{account}-security", {"input": SOURCE}
    )
    screen.fact("the last but one again", f"same key, same answer · {_cost(again)}")


async def over_kafka(screen: Screen, bootstrap: str, account: str, prefix: str = "") -> None:
    """An internal service asks on one topic and reads its answer from another."""
    screen.scene("One more, asked for and answered over Kafka alone")
    run = f"{account}-kafka"
    asked = RunRequested(
        run=run,
        account=account,
        tool="cyber-studio-risk-register",
        input=msgspec.Raw(msgspec.json.encode(RISKS)),
        actor=Actor(ActorKind.SERVICE, "demo"),
    )
    count = await partitions_of(bootstrap, prefix + RUN_RESULTS.name)
    places = [TopicPartition(prefix + RUN_RESULTS.name, number) for number in range(count)]
    consumer = await kafka.consumer_at(bootstrap, ((place, 0) for place in places))
    outbox = Outbox(bootstrap)
    try:
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        await outbox.start()
        requests = await partitions_of(bootstrap, prefix + RUN_REQUESTS.name)
        await outbox.send(
            prefix + RUN_REQUESTS.name,
            partition_of(account, requests),
            account.encode(),
            codec.encode(asked),
        )
        async with asyncio.timeout(RESULT_WITHIN_S):
            result = await _result(consumer, run)
    except TimeoutError:
        raise DemoFailed(f"no result for {run} on {RUN_RESULTS.name}") from None
    finally:
        await outbox.stop()
        await kafka.close(consumer)
    if result.outcome is not RunOutcome.COMPLETED or result.result is None:
        raise DemoFailed(f"the run over Kafka ended {result.outcome.value}: {result.error}")
    register = json.loads(bytes(result.result))
    screen.fact(
        "risk-register",
        f"{len(register['register'])} risks rated · charged {result.charged} credits",
    )


async def failing(screen: Screen, client: Client, account: str) -> None:
    """A run that fails costs nothing: the hold goes back, and the log says why."""
    screen.scene("A run that fails costs nothing")
    before = await client.post(
        "/v1/estimates", f"{account}-before", {"account": account, "toolId": "data-studio-quality"}
    )
    status, no = await client.ask(
        "/api/data-studio/quality/run",
        f"{account}-invalid",
        {"input": {"rows": "these are no rows", "rules": []}},
    )
    if status != 422 or no.get("creditsCharged") != 0:
        raise DemoFailed(f"invalid input was answered {status}: {no}")
    if no["balance"] != before["balance"]:
        raise DemoFailed(f"a failed run moved credits: {before['balance']} to {no['balance']}")
    screen.fact("quality", f"{status} {no['code']}: {no['detail']}")
    screen.fact(
        "available",
        f"{before['balance']['available']} before, "
        f"{no['balance']['available']} after, held {no['balance']['held']}",
    )


async def _result(consumer: Any, run: str) -> RunResult:
    while True:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                result = codec.decode_run_result(record.value)
                if result.run == run and result.charged is not None:
                    return result


def _cost(ran: dict[str, Any]) -> str:
    paid = ran["credits"]
    return (
        f"{ran['executionTimeMs']} ms · charged {paid['charged']} credits, "
        f"{paid['balance']['available']} left"
    )


def _paths(result: dict[str, Any]) -> str:
    document = result["openapi"]
    return f"an OpenAPI {document['openapi']} document with {len(document['paths'])} paths"


def _findings(result: dict[str, Any]) -> str:
    return f"{len(result['findings'])} findings in the source"


def _broken_rules(result: dict[str, Any]) -> str:
    broken = sum(not rule["passed"] for rule in result["rules"])
    return f"{result['rows']} rows against {len(result['rules'])} rules, {broken} broken"
