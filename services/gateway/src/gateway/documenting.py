"""The application built for its document only: nothing listens, nothing connects."""

from bus.outbox import Outbox
from contracts.catalogue import bundled
from fastapi import FastAPI

from gateway import app
from gateway.dispatch import Dispatch
from gateway.flight import Bounds, Flight
from gateway.identity import Identity
from gateway.keyring import KeyRing
from gateway.listening import Listener
from gateway.live import Live
from gateway.mail import Mail
from gateway.metrics import Metrics
from gateway.openapi import document
from gateway.passing import Passing
from gateway.readmodels import ReadModels
from gateway.settings import Settings
from gateway.tallies import tallies_of
from gateway.vouching import Vouching
from gateway.waiting import Bridge
from gateway.watching import RunWatch

_NOWHERE = "127.0.0.1:1"


async def written() -> bytes:
    """The document's bytes."""
    return document(await built(), bundled())


async def built() -> FastAPI:
    """The application behind the hot routes, pages included."""
    settings = Settings(kafka_bootstrap=_NOWHERE, postgres_url="", env="local")
    outbox, models, metrics = Outbox(_NOWHERE), ReadModels(""), Metrics()
    flight = Flight(1, Bounds(), lambda: 0.0)
    bridge = Bridge(lambda _partition, _key, _value, _headers: None, flight, 0)
    listener = Listener(_NOWHERE, "", lambda _batch, _at: None)
    _, rest = app.application(
        app.Parts(
            settings=settings,
            bridge=bridge,
            dispatch=Dispatch(outbox, "", 1, bundled()),
            watch=RunWatch(),
            models=models,
            identity=Identity(""),
            ring=KeyRing(settings.env, models.keys),
            metrics=metrics,
            passing=Passing("", Vouching("")),
            mail=Mail("", ""),
            tallies=tallies_of(Identity(""), "off"),
            live=Live(1, listener, metrics),
            listener=listener,
            outbox=outbox,
        )
    )
    return rest
