"""The broker's jars, fetched by Maven once per pom.xml; afterwards nothing touches the network."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from engine.errors import EngineError, Missing
from engine.places import POM, local_dir, locked

FETCH_SECONDS = 600  # 45 MB over a slow line
ERROR_LINES = 15  # of Maven's output: the cause stands at the end


def pom_hash() -> str:
    """Name the pinned set of jars."""
    if not POM.exists():
        raise EngineError(f"{POM} is missing; the engine runs from a checkout of the repository")
    return hashlib.sha256(POM.read_bytes()).hexdigest()[:16]


def fetch_jars() -> tuple[Path, ...]:
    """Give the class path in a fixed order, calling Maven only if the pinned jars are not here."""
    folder = local_dir() / "kafka" / "libs"
    stamp = folder / ".pom-hash"
    with locked(local_dir() / "kafka" / ".jars.lock"):
        if not stamp.exists() or stamp.read_text() != pom_hash():
            shutil.rmtree(folder, ignore_errors=True)
            _copy_dependencies(folder)
            stamp.write_text(pom_hash())
    return tuple(sorted(folder.glob("*.jar")))


def _copy_dependencies(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing(
            "Maven is missing: install the package `maven` (it fetches Kafka's jars, once), "
            "or set SCRIP_KAFKA_BOOTSTRAP to a Kafka of your own."
        )
    argv = [maven, "--batch-mode", "--quiet", "--no-transfer-progress", "--file", str(POM)]
    argv += ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    done = subprocess.run(
        [*argv, "-DincludeScope=runtime"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FETCH_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-ERROR_LINES:])
        raise EngineError(f"Maven could not fetch Kafka's jars (is the network there?):\n{end}")
