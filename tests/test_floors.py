"""No version with a hole that is known and closed: not asked for, not pinned, not installed.

A scanner of advisories needs a network and its data, and says that all is well where it has
neither; this list says what it knows. Each floor is the first version with the hole closed.
"""

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Floor(NamedTuple):
    """The least version, and why: what `pyproject.toml` need not name comes with others."""

    version: str
    why: str
    asked_for: bool = True


FLOORS = {
    "keras": Floor(
        "3.15.1",
        "CVE-2026-12479 layer named '..', CVE-2026-12480 virtual datasets, CVE-2026-1462, "
        "CVE-2026-1669, CVE-2026-0897 and earlier; assets that climb out of a folder (no id)",
    ),
    "pillow": Floor("13.0.0", "CVE-2026-112393, -112395, -112398, -112403 overflow in JPEG"),
    "pydicom": Floor("3.0.2", "CVE-2026-32711 DICOMDIR leads out of its folder"),
    "flask": Floor("3.1.3", "CVE-2026-27205 pages of one user kept for another by a cache"),
    "werkzeug": Floor(
        "3.1.9", "CVE-2026-27199 names of devices as paths (closed in 3.1.6), on Windows"
    ),
    "dash": Floor("2.15", "CVE-2024-21485 links of javascript:"),
    "torch": Floor("2.6", "CVE-2025-32434 torch.load runs code with weights_only"),
    "distributed": Floor("2026.8.0", "CVE-2026-23528 script in the dashboard runs code"),
    "dask": Floor("2026.8.0", "with distributed; CVE-2026-95897 is open, and not called", False),
    "jinja2": Floor("3.1.6", "CVE-2025-27516 the sandbox is left by |attr"),
}
NAME = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(>=|==)\s*([0-9][0-9.]*)")


def number(version):
    """A version that can be compared; what stands after numbers and points does not count."""
    parts = [int(part) for part in re.match(r"[0-9.]+", version).group().strip(".").split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def read(file):
    path = ROOT / file
    if not path.exists():
        pytest.skip(f"{file} is not part of the wheel")
    return path.read_text()


def bounds():
    """(name, least version) of every dependency in pyproject.toml; '0' where there is no bound."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for one in (one for group in groups for one in group):
        found = NAME.match(one)
        yield (normal(found[1]), found[3]) if found else (normal(one), "0")


def test_versions_are_compared_as_numbers():
    assert number("3.9") < number("3.10")
    assert number("2.13.0+cpu") == number("2.13")
    assert number("2026.8.0") == number("2026.8")


def test_every_dependency_is_asked_for_with_a_least_version():
    assert [name for name, least in bounds() if least == "0"] == []


@pytest.mark.parametrize("name", [name for name, floor in FLOORS.items() if floor.asked_for])
def test_what_is_asked_for_is_not_below_its_floor(name):
    asked = [least for known, least in bounds() if known == name]
    assert asked, f"{name} is no dependency any more: take its floor out"
    for least in asked:
        assert number(least) >= number(FLOORS[name].version), FLOORS[name].why


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_pinned_is_not_below_its_floor(name):
    pins = {normal(found[1]): found[3] for found in NAME.finditer(read("constraints.txt"))}
    assert number(pins[name]) >= number(FLOORS[name].version), FLOORS[name].why


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_installed_is_not_below_its_floor(name):
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    assert number(installed) >= number(FLOORS[name].version), FLOORS[name].why
