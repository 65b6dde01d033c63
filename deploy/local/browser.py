"""Brings a browser for the tests that need one: Debian's package chromium, if it is not there yet.

Standard library only and old syntax on purpose, like preflight. Never fails: where no browser can
be had it says so in one line, and the tests that need it say that they did not run.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
APT = ["apt-get", "-o", "Dpkg::Use-Pty=0", "-qq"]
WITHOUT = "the tests that need a browser will not run here"


def found():  # noqa: ANN201
    """Its path, or nothing; SCRIP_CHROMIUM names another one."""
    named = os.environ.get("SCRIP_CHROMIUM")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


def bring():  # noqa: ANN201
    """Say what is missing; nothing when there is a browser."""
    if found():
        return None
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return "no Chromium here (Debian: `apt install chromium`): " + WITHOUT
    print("installing Chromium for the browser tests", file=sys.stderr)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(
            [*APT, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
    if not found():
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return "Chromium cannot be installed (" + said + "): " + WITHOUT
    return None


if __name__ == "__main__":
    missing = bring()
    if missing:
        print(missing, file=sys.stderr)
