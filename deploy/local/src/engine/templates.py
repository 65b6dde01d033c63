"""What makes a broker start fast, made once and copied: a formatted folder, a class archive.

The folder has its internal topics already. Kept under `.local/kafka` for the very jars and Java
they were made with.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

from engine import wire
from engine.broker_settings import server_properties
from engine.errors import EngineError
from engine.jars import pom_hash
from engine.java import SMALL
from engine.places import PACKAGE, local_dir, locked
from engine.ports import free_port
from engine.processes import Process

ARCHIVE = "classes.jsa"
FORMAT_SECONDS = 60


def broker_argv(
    java: Path, jars: Sequence[Path], flags: Sequence[str], properties: Path
) -> tuple[str, ...]:
    """Give the command line of a broker; the archive holds only for this very class path."""
    logging = f"-Dlog4j2.configurationFile={PACKAGE / 'log4j2.properties'}"
    return (str(java), *flags, logging, "-cp", _class_path(jars), "kafka.Kafka", str(properties))


def kafka_template(java: Path, jars: Sequence[Path]) -> Path:
    """Give the template for these jars on this Java, making it if it is not there yet."""
    root = local_dir() / "kafka"
    made_for = f"{pom_hash()} {java} {java.stat().st_mtime_ns} {_class_path(jars)}"
    final = root / f"template-{hashlib.sha256(made_for.encode()).hexdigest()[:16]}"
    with locked(root / ".template.lock"):
        if not final.exists():
            for old in root.glob("template-*"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(dir=root, prefix="making-") as name:
                draft = Path(name) / "draft"
                _make(draft, java, jars)
                draft.rename(final)
    return final


def copy_kafka(template: Path, folder: Path) -> None:
    """Make a broker folder from the template, with a cluster id of its own."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(template / "data", fresh)
    properties = fresh / "meta.properties"
    lines = properties.read_text().splitlines()
    lines = [f"cluster.id={_new_id()}" if x.startswith("cluster.id=") else x for x in lines]
    properties.write_text("\n".join(lines) + "\n")
    fresh.rename(folder)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder so that it appears whole or not at all."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh, symlinks=True)
    fresh.rename(target)


def _make(draft: Path, java: Path, jars: Sequence[Path]) -> None:
    data = draft / "data"
    data.mkdir(parents=True)
    port = free_port()
    properties = draft / "server.properties"
    properties.write_text(server_properties(data, port, free_port(), {}))
    storage_tool = (str(java), *SMALL.flags, "-cp", _class_path(jars), "kafka.tools.StorageTool")
    done = subprocess.run(
        [*storage_tool, "format", "-t", _new_id(), "-c", str(properties)],
        capture_output=True,
        text=True,
        timeout=FORMAT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise EngineError(f"Kafka could not format {data}:\n{done.stdout}{done.stderr}")
    flags = (*SMALL.flags, f"-XX:ArchiveClassesAtExit={draft / ARCHIVE}")
    log = draft.parent / "kafka.log"
    broker = Process("Kafka", broker_argv(java, jars, flags, properties), log=log)
    broker.start()
    try:
        broker.wait_ready(lambda: wire.has_brokers(port))
        for kind in (wire.GROUP, wire.TRANSACTION):
            broker.wait_ready(lambda kind=kind: wire.has_coordinator(port, kind))  # type: ignore[misc]
    finally:
        broker.stop(FORMAT_SECONDS)  # writing the archive takes seconds


def _class_path(jars: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, jars))


def _new_id() -> str:
    """As Kafka makes them: one that begins with a dash would be read as an option."""
    while (made := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return made
