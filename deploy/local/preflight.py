"""Says in one line what this machine lacks, before anything else can fail for want of it.

Standard library only and old syntax on purpose: it runs on whatever `python3` there is.
The argument `engine` asks for Java and Maven too, unless SCRIP_KAFKA_BOOTSTRAP names a Kafka,
SCRIP_ENGINE=docker asks for images, or there is no Java at all but a Docker engine that answers.
"""

import os
import re
import shutil
import socket
import subprocess
import sys

PYTHON_OLDEST = (3, 11)
JAVA_OLDEST = 17
JARS = os.path.join(".local", "kafka", "libs", ".pom-hash")  # noqa: PTH118 - see above


def lacking(needs):  # noqa: ANN001, ANN201
    found = []
    if sys.version_info < PYTHON_OLDEST:
        found.append("Python 3.11 or newer (`python3` is {}.{})".format(*sys.version_info))
    else:
        try:
            import ensurepip  # noqa: F401
        except ImportError:
            found.append("Python's venv module (Debian: `apt install python3-venv`)")
    elsewhere = (
        os.environ.get("SCRIP_KAFKA_BOOTSTRAP") or os.environ.get("SCRIP_ENGINE") == "docker"
    )
    images = (
        "SCRIP_ENGINE" not in os.environ
        and "JAVA_HOME" not in os.environ
        and not shutil.which("java")
        and docker_answers()
    )
    if "engine" in needs and not elsewhere and not images:
        if java_version() < JAVA_OLDEST:
            found.append(
                "Java 17 or newer (Debian: `apt install openjdk-17-jre-headless`), or Docker"
            )
        if not shutil.which("mvn") and not os.path.exists(JARS):  # noqa: PTH110
            found.append("Maven (Debian: `apt install maven`)")
    return found


def java_version():  # noqa: ANN201
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"  # noqa: PTH118
    try:
        done = subprocess.run(
            [java, "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', done.stdout.decode(errors="replace"))
    return int(found.group(1)) if found else 0


def docker_answers():  # noqa: ANN201
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return True  # somebody named an engine: what comes next says if it does not answer
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(2)
        try:
            asking.connect(host[len("unix://") :])
        except OSError:
            return False
        return True


if __name__ == "__main__":
    missing = lacking(sys.argv[1:])
    if missing:
        sys.exit("missing: " + "; ".join(missing) + ". Install and run `make` again.")
