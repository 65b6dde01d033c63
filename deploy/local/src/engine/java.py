"""A Java 17 or newer, and how much of the machine the broker may take."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from engine.errors import Missing

OLDEST = 17  # what Kafka 4 needs


class Jvm(msgspec.Struct, frozen=True):
    """Flags for a broker's Java machine."""

    flags: tuple[str, ...]


# Starts fastest and stays under 200 MB: tests, demo, development.
SMALL = Jvm(flags=("-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))
# Compiles fully and pauses least: benchmarks.
STEADY = Jvm(flags=("-Xmx1g", "-Xms1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"))


def find_java() -> Path:
    """Give the `java` of JAVA_HOME, else of the path; Missing if there is none new enough."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None or not Path(found).exists():
        raise Missing(
            f"Java {OLDEST} or newer is missing: install a JRE (for example the package "
            "`openjdk-17-jre-headless`), or set SCRIP_KAFKA_BOOTSTRAP to a Kafka of your own."
        )
    java = Path(found).resolve()
    version = _version(java)
    if version < OLDEST:
        raise Missing(f"{java} is Java {version}; Kafka needs Java {OLDEST} or newer.")
    return java


def _version(java: Path) -> int:
    release = java.parent.parent / "release"
    if release.exists():  # saves starting a Java machine only to ask it
        text = release.read_text()
        pattern = r'JAVA_VERSION="(\d+)'
    else:
        text = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, check=False
        ).stderr
        pattern = r'version "(\d+)'
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0
