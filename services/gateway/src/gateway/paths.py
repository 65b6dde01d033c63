"""Which path leads where: the hot routes, the ones that are asked thousands of times a second."""

from collections.abc import Mapping
from functools import partial

from contracts.catalogue import Catalogue

from gateway.asgi import BATCH_BODY_BYTES_MAX, RUN_BODY_BYTES_MAX
from gateway.batch import Batch
from gateway.estimates import Estimates
from gateway.hot import Route
from gateway.keys import Scope
from gateway.runs import Runs
from gateway.spending import Spending
from gateway.stopping import Stopping


def fixed(
    spending: Spending, estimates: Estimates, batch: Batch, runs: Runs, catalogue: Catalogue
) -> Mapping[str, Route]:
    """Hot routes whose whole path is known, the tools' own among them."""
    own = {
        "/v1/reservations": Route("/v1/reservations", Scope.SPEND, spending.reserve),
        "/v1/estimates": Route("/v1/estimates", Scope.SPEND, estimates.service),
        "/v1/batch": Route("/v1/batch", Scope.SPEND, batch.post, body_max=BATCH_BODY_BYTES_MAX),
        "/api/billing/estimate": Route(
            "/api/billing/estimate", Scope.SPEND, estimates.billing, people=True, anyone=True
        ),
    }
    tools = {
        tool.path: Route(
            "/api/{studio}/{tool}/run",
            Scope.SPEND,
            partial(runs.post, tool),
            people=True,
            body_max=RUN_BODY_BYTES_MAX,
        )
        for tool in catalogue.tools.values()
    }
    return {**tools, **own}


def named(spending: Spending, stopping: Stopping) -> Mapping[tuple[str, str], Route]:
    """Hot routes of the form /v1/<noun>/<id>/<verb>."""
    return {
        ("reservations", "charge"): Route(
            "/v1/reservations/{id}/charge", Scope.SPEND, spending.charge
        ),
        ("reservations", "release"): Route(
            "/v1/reservations/{id}/release", Scope.SPEND, spending.release
        ),
        ("reservations", "extend"): Route(
            "/v1/reservations/{id}/extend", Scope.SPEND, spending.extend
        ),
        ("accounts", "grants"): Route(
            "/v1/accounts/{id}/grants", Scope.GRANT, spending.grant, approvable=True
        ),
        ("accounts", "transfers"): Route("/v1/accounts/{id}/transfers", Scope.GRANT, spending.send),
        ("charges", "refund"): Route(
            "/v1/charges/{id}/refund", Scope.GRANT, spending.refund, approvable=True
        ),
        ("grants", "revoke"): Route(
            "/v1/grants/{id}/revoke", Scope.ADMIN, stopping.revoke, staff=True, approvable=True
        ),
        ("accounts", "freeze"): Route(
            "/v1/accounts/{id}/freeze", Scope.ADMIN, stopping.freeze, staff=True
        ),
        ("accounts", "thaw"): Route(
            "/v1/accounts/{id}/thaw", Scope.ADMIN, stopping.thaw, staff=True
        ),
        ("accounts", "plan"): Route(
            "/v1/accounts/{id}/plan", Scope.ADMIN, stopping.plan, staff=True
        ),
    }
