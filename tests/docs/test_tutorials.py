"""The tutorials hold: the researcher's commands run in their order, the clinician's words are
those of the page.
"""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from radzoo import cli

TUTORIALS = Path(cli.__file__).parent / "docs" / "tutorials"
pytestmark = pytest.mark.skipif(
    not TUTORIALS.exists(), reason="the documentation is not in the wheel"
)
NEEDS_A_FRAMEWORK = ("explain",)  # the backend that is used here gives no gradients


def block(language):
    text = (TUTORIALS / "researcher.md").read_text()
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with fewer of the tutorial's images, and its spec for a backend that is quick."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("tutorial")
        patch.chdir(folder)
        patch.setenv("RADZOO_CACHE", str(folder / "cache"))
        script = block("python")
        assert ('draw("mine", 600' in script, 'draw("other", 200' in script) == (True, True)
        exec(script.replace("600", "120").replace("200", "60"), {})  # the page's own code
        spec = yaml.safe_load(block("yaml"))
        spec["training"]["epochs"], spec["backends"] = 2, ["fake"]
        spec["evaluation"]["resamples"] = 100
        (folder / "first.yaml").write_text(yaml.safe_dump(spec))
        yield folder


def test_the_researcher_s_commands_run_one_after_the_other(place):
    text = (TUTORIALS / "researcher.md").read_text()
    done = []
    for line in re.findall(r"(?m)^    python cli\.py (.*)", text):
        words = shlex.split(line)
        if words[0] in NEEDS_A_FRAMEWORK:
            continue
        if words[0] == "sweep":
            words = [word.replace("[0, 1, 2]", "[0]") for word in words]
        if "RUN" in words:
            first = min(
                (place / "runs" / "first").glob("*/metrics.json"), key=lambda f: f.stat().st_ctime
            )
            words[words.index("RUN")] = str(first.parent)
        found = CliRunner().invoke(cli.app, words)
        assert found.exit_code == 0, (line, found.output)
        done.append(words[0])
    assert done == [
        *("data", "data", "validate", "run", "run", "sweep", "compare", "run"),
        *("evaluate", "report", "rerun"),
    ]  # fmt: skip
    assert (place / "runs" / "first" / "comparison" / "table.tex").exists()


@pytest.mark.parametrize(("language", "quoted"), [("es", "«([^»]*)»"), ("en", "“([^”]*)”")])
def test_what_the_clinician_s_tutorial_quotes_stands_on_the_page(language, quoted):
    wording = Path(cli.__file__).parent / "webapp" / "wording.yaml"
    said = [
        one[language]
        for group in yaml.safe_load(wording.read_text()).values()
        for one in group.values()
    ]
    text = (TUTORIALS / f"clinician_{language}.md").read_text()
    found = re.findall(quoted, text)
    assert len(found) > 40
    for words in found:
        assert any(words.rstrip("…") in one or re.fullmatch(_filled(one), words) for one in said), (
            words
        )


def _filled(said):
    """A sentence of the page with any values in its braces."""
    return ".+".join(re.escape(part) for part in re.split(r"\{\w+\}", said))
