"""The documentation builds without a warning, holds all that is registered, and asks nobody."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from radzoo import cli, evaluation, zoo
from radzoo.backends import registry as backends
from radzoo.experiments.section import Section
from radzoo.experiments.spec import Spec
from radzoo.explain import registry as methods
from radzoo.preprocessing import registry as datasets
from radzoo.preprocessing import steps

ROOT = Path(cli.__file__).parent
pytestmark = pytest.mark.skipif(
    not (ROOT / "mkdocs.yml").exists(), reason="the documentation is not in the wheel"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def sections(annotation, path=()):
    """Every class of a spec with the dotted path at which a reader first meets it."""
    found, todo = {}, [(annotation, path)]
    for kind, at in todo:  # which grows meanwhile
        if isinstance(kind, type) and issubclass(kind, Section):
            if kind not in found:
                found[kind] = at
                todo += [(f.annotation, (*at, name)) for name, f in kind.model_fields.items()]
        else:
            todo += [(inner, at) for inner in getattr(kind, "__args__", ())]
    return found


def test_every_key_of_a_spec_has_its_line_and_its_words(site):
    page = (site / "reference" / "spec.html").read_text()
    found = sections(Spec)
    assert len(found) > 12
    for kind, path in found.items():
        for key in kind.model_fields:
            row = re.search(rf'<tr>\s*<td><code id="{".".join((*path, key))}">.*?</tr>', page, re.S)
            assert row, f"{kind.__name__}.{key} is not in the reference"
            assert not row[0].endswith("<td></td>\n</tr>"), f"{kind.__name__}.{key}: say what it is"


def test_every_command_and_option_is_in_the_reference(site):
    page = (site / "reference" / "commands.html").read_text()
    todo = [((), typer.main.get_command(cli.app))]
    for path, command in todo:  # which grows meanwhile
        inner = getattr(command, "commands", {})
        todo += [((*path, name), one) for name, one in inner.items()]
        if not inner:
            part = re.search(rf'<h2 id="{"-".join(path)}">.*?(?=<h2|\Z)', page, re.S)[0]
            for option in command.params:
                assert option.opts[0] == "--help" or f">{option.opts[-1]}<".lower() in part.lower()


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference/architectures", zoo.names),
        ("reference/datasets", datasets.names),
        ("reference/heatmap_methods", methods.names),
        ("reference/backends", backends.frameworks),
        ("reference/spec", steps.names),
        ("reference/metrics", lambda: evaluation.NAMES),
    ],
)
def test_all_that_is_registered_is_in_the_reference(site, page, names):
    text = (site / f"{page}.html").read_text()
    assert not [name for name in names() if name not in text]


def test_no_list_or_table_is_left_as_text(site):
    for page in site.rglob("*.html"):
        text = re.sub(r"<(pre|code).*?</\1>", "", page.read_text(), flags=re.S)
        said = re.findall(r"<p>(.*?)</p>", text, re.S)
        assert not [one for one in said if re.search(r"(^|\n) *(- |\d+\. |\|)", one)], page


def test_a_page_loads_nothing_from_another_host(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link|iframe|source)[^>]*(?:src|href)="([^"]*)"', page.read_text()
        )
        assert not [one for one in loaded if "//" in one], page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", sheet.read_text())
