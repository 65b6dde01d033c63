"""Nothing in the repository depends on, or tells of, the machine that it was written on."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.tidy.sources import ROOT, texts, told

PACKAGE_HOSTS = {"pypi.org", "files.pythonhosted.org"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk_live_\w+|\bwhsec_\w{8,}")


def test_no_file_names_this_machine() -> None:
    places = [str(x) for x in (ROOT, Path.home()) if len(x.parts) > 2]  # `/app` means a container
    pattern = re.compile("|".join(rf"{re.escape(place)}(?![\w.-])" for place in places))
    faults = [
        f"{path}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if places and pattern.search(line)
    ]
    assert not faults, told(faults, "A path of this machine means nothing elsewhere:")


def test_packages_come_from_the_public_registry() -> None:
    lock = (ROOT / "uv.lock").read_text()
    hosts = {urlsplit(x).hostname for x in re.findall(r'(?:registry|url) = "(http[^"]+)"', lock)}
    assert hosts == PACKAGE_HOSTS
    faults = [
        str(path)
        for path, text in texts()
        if path.name in {"pom.xml", "pyproject.toml", "pip.conf", "uv.toml"}
        and re.search(r"<repositor(y|ies)>|index-url|extra-index|\[\[tool\.uv\.index", text)
    ]
    assert not faults, told(faults, "No registry of our own; the reader has another:")


def test_no_file_speaks_of_a_tracker() -> None:
    faults = [
        f"{path}:{number} {line.strip()[:80]}"
        for path, text in texts()
        if path.suffix in {".py", ".md", ".toml", ".sql"}
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(r"\bissue\s+#?\d+\b", line, re.IGNORECASE)
    ]
    assert not faults, told(faults, "Say the reason itself; a number rots:")


def test_no_secret_is_committed() -> None:
    faults = [str(path) for path, text in texts() if KEY.search(text)]
    assert not faults, told(faults, "A secret belongs into a file outside the repository:")


def test_links_lead_somewhere() -> None:
    faults = [
        f"{path}: {target}"
        for path, text in texts()
        if path.suffix == ".md"
        for target in LINK.findall(text)
        if not re.match(r"[a-z]+:|#", target)
        and not _exists((ROOT / path).parent / target.partition("#")[0])
    ]
    assert not faults, told(faults, "A relative link leads to a file of this repository:")


def _exists(target: Path) -> bool:
    return target.resolve().is_relative_to(ROOT) and target.exists()


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_the_root_tells_what_this_is(name: str) -> None:
    assert (ROOT / name).is_file(), f"{name} is missing at the root"
