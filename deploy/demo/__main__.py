"""Shows a whole Scrip at work and says what to try next.

Exit codes: 0 `demo: ok` · 1 something was not as promised · 2 interrupted.
"""

import asyncio
import functools
import sys
import time

from engine.services import doubled

from deploy.demo import buying, runs, spending
from deploy.demo.client import Client
from deploy.demo.house import DemoFailed, House
from deploy.demo.screen import Screen
from deploy.demo.settings import from_environment

GIFT = 500  # credits: enough for every scene and for a first hour of trying


def main() -> None:
    """Run every scene; the services stay up."""
    settings, begun = from_environment(), time.monotonic()
    try:
        asyncio.run(_show(Screen(bold=settings.bold), House(settings)))
    except DemoFailed as why:
        print(f"\ndemo: failed after {time.monotonic() - begun:.0f} s: {why}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; `make down` stops the services", file=sys.stderr)
        sys.exit(2)
    print(f"\ndemo: ok ({time.monotonic() - begun:.0f} s)")


async def _show(screen: Screen, house: House) -> None:
    screen.title("Scrip: a credit ledger whose log is its answer")
    screen.scene("Start: real Kafka, real PostgreSQL, seven services")
    screen.fact("ready after", f"{house.start():.1f} s at {house.url}")
    name = f"demo-{time.time_ns() // 1_000_000_000:x}"
    own = f"{name}-you"
    service = house.make_key("read,spend,grant", f"{name} service")
    async with Client(house.url, service) as client:
        await spending.grant(client, own, GIFT)
        screen.fact("account", f"{own} was granted {GIFT} credits")
        await runs.estimate(screen, client, own)
        key = house.make_key("read,spend", f"{name} yours", own)
        async with Client(house.url, key) as person:
            await runs.over_http(screen, person, own)
            await runs.over_kafka(screen, house.bootstrap, own)
            await runs.failing(screen, person, own)
        if doubled():
            buyer = f"{name}-buyer"
            async with Client(house.url, house.make_key("read,spend", buyer, buyer)) as person:
                await buying.a_pack(screen, person, buyer)
        await spending.exactly_ten(screen, client, f"{name}-ten")
        kill = functools.partial(house.kill, "ledger")
        await spending.killed_ledger(screen, client, f"{name}-storm", kill)
    screen.scene("scrip verify: events against read models against the compliance log")
    screen.say("\n".join(line.strip() for line in house.verify().splitlines()))
    _next(screen, house, own, key)


def _next(screen: Screen, house: House, account: str, key: str) -> None:
    screen.scene("Now you. The services stay up; `make down` stops them")
    screen.fact("URL", f"{house.url}; in a browser: sign in there as {account}")
    screen.fact("key", f"{key} (reads and spends, of {account} only)")
    screen.fact("logs", house.logs)
    screen.fact("compliance log", f"{house.compliance_log} (JSONL, a hash chain per partition)")
    settings = " ".join(f"{name}={value}" for name, value in house.environment.items())
    screen.say(
        f"""
What is left, and why:
  curl -s {house.url}/api/credits/balance -H 'Authorization: Bearer {key}'
  curl -s {house.url}/v1/accounts/{account}/transactions -H 'Authorization: Bearer {key}'
A run of your own (the same Idempotency-Key again gives the same answer and costs nothing):
  curl -s {house.url}/api/data-studio/quality/run -H 'Authorization: Bearer {key}' \\
    -H 'Idempotency-Key: mine-1' -H 'Content-Type: application/json' \\
    -d '{{"input": {{"rows": [{{"id": 1}}, {{"id": 1}}],
         "rules": [{{"rule": "unique", "columns": ["id"]}}]}}}}'
Finance, from the events alone:
  env {settings} \\
    .venv/bin/scrip explain {account}
Buy a pack: the answer's url is a page to pay on, with test cards and no money
  curl -s {house.url}/api/billing/checkout -H 'Authorization: Bearer {key}' \\
    -H 'Idempotency-Key: buy-1' -H 'Content-Type: application/json' -d '{{"packId": "starter"}}'
Orders, Stripe and ledger, compared: the same `env`, then `scrip reconcile stripe`"""
    )


if __name__ == "__main__":
    main()
