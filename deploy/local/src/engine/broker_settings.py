"""What the single local broker is told, each setting with its reason."""

from collections.abc import Mapping
from pathlib import Path

from engine.places import HOST

NODE = "1"
INT_MAX = "2147483647"

SINGLE_NODE: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": NODE,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # One node holds everything once.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # With 50 partitions the first poll of a group takes 3 s longer.
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # Lets a worker choose a session shorter than 6 s, so that a successor takes over sooner.
    "group.min.session.timeout.ms": "1000",
    # A topic nobody described is a typing error, not a topic.
    "auto.create.topics.enable": "false",
    # The fence of a partition lives in its transactional id: it must never be forgotten.
    "transactional.id.expiration.ms": INT_MAX,
    # After kill -9 the broker's old registration must lapse before it is let in again.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "600",
    # Two cores for everything.
    "num.network.threads": "1",
    "num.io.threads": "2",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    "log.cleaner.dedupe.buffer.size": "4194304",
    # Retention is looked at rarely enough to stay out of measurements.
    "log.retention.check.interval.ms": "300000",
}


def server_properties(
    folder: Path, port: int, controller_port: int, more: Mapping[str, str]
) -> str:
    """Write the file for a broker with its log under `folder`; `more` is laid over all."""
    settings = {
        **SINGLE_NODE,
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        # A fixed quorum is not stored in the log: a copied or moved state may change its ports.
        "controller.quorum.voters": f"{NODE}@{HOST}:{controller_port}",
        "log.dirs": str(folder),
        **more,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
