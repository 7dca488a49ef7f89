"""Every command that the documentation shows is one that exists, with these options.

What is cheap is run; a spec is checked as `run` would check it; all else is read by the real
command line, up to the moment at which it would begin. A command that is in none of the three
tables below fails, so none can be added to a page unseen.
"""

import itertools
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer.main

from radzoo import cli
from radzoo.experiments import plan

ROOT = Path(cli.__file__).parent
DOCS = ROOT / "docs"
SPECS = sorted((ROOT / "experiments").glob("*.yaml"))
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the documentation is not in the wheel")

RUN = {
    "--help",
    "models list",
    "models show",
    "data list",
    "explain methods",
    "validate",
    "data show phantom_nodules",
}
CHECKED = {"run", "sweep", "run-trial"}  # that their spec and its overrides are valid
READ = {
    "backends install": "it would download and install",
    "backends list": "it starts every framework; tests/backends/test_backends.py",
    "backends remove": "it would remove what is installed here",
    "bench": "it takes minutes; tests/experiments/test_benchmark.py",
    "cases": "it needs a run and a framework; tests/explain/test_commands.py",
    "compare": "it needs finished runs; tests/docs/test_tutorials.py",
    "data clean": "it needs images; tests/preprocessing/test_cleaning.py",
    "data deidentify": "it needs DICOM files; tests/preprocessing/test_copies.py",
    "data prepare": "it needs images; tests/preprocessing/test_prepare.py",
    "data show": "it needs images, unless they are synthetic",
    "evaluate": "it needs a run; tests/docs/test_tutorials.py",
    "explain": "it needs a run and a framework; tests/explain/test_commands.py",
    "models check": "it starts every framework; tests/backends/test_backends.py",
    "report": "it needs a run; tests/docs/test_tutorials.py",
    "rerun": "it needs a run; tests/docs/test_tutorials.py",
    "serve": "it stays open; tests/webapp/room",
    "users": "it needs a room; tests/webapp",
}


def commands_in(text, start):
    """Yield what follows `start` in a page or the head of a spec, as it would be typed."""
    text = re.sub(r"\\\n\s*#?\s*", "", text)
    for line in text.splitlines():
        for found in re.finditer(rf"(^|[`'\s/]){start}", line):
            rest = line[found.end() :]
            if line[: found.start() + 1].count("`") % 2:  # within a line of text
                rest = rest.partition("`")[0]
            if found[1] == "'":
                rest = rest.partition("'")[0]
            rest = re.sub(r"(\s#|\s\s+\(| && ).*", "", rest)  # what is said beside it
            rest = re.sub(r" \.\.\.$", " --help", rest)  # and whatever else it takes
            yield rest.replace("$SLURM_ARRAY_TASK_ID", "0").strip()


def all_commands(start):
    """Every command once, with the file that shows it."""
    found = {}
    for path in (*PAGES, *SPECS):
        if path.exists():
            for command in commands_in(path.read_text(), start):
                found.setdefault(command, path.relative_to(ROOT))
    return sorted(found.items())


COMMANDS = all_commands(r"python cli\.py ")


def words_of(command):
    return shlex.split(command)


def name_of(words, table):
    """The longest beginning of a command that a table holds."""
    return next((n for n in (" ".join(words[:k]) for k in (3, 2, 1)) if n in table), None)


@pytest.fixture(scope="module")
def read_only():
    """The command line, which reads its arguments and then does nothing."""
    root = typer.main.get_command(cli.app)
    todo = [root]
    for command in todo:
        todo += getattr(command, "commands", {}).values()
        if not hasattr(command, "commands"):
            command.callback = lambda **_: None
    return root


def test_the_documentation_shows_commands():
    assert len(COMMANDS) > 80


@pytest.mark.parametrize(("command", "page"), COMMANDS)
def test_the_command_line_takes_it(command, page, read_only):
    read_only.main(words_of(command), prog_name="radzoo", standalone_mode=False)
    known = {*RUN, *CHECKED, *READ}
    assert name_of(words_of(command), known), f"{page}: say in this file how it is tested"


@pytest.mark.parametrize(
    ("command", "page"), [pair for pair in COMMANDS if name_of(words_of(pair[0]), RUN)]
)
def test_what_is_cheap_runs(command, page, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    words = [one.replace("experiments/", f"{ROOT}/experiments/") for one in words_of(command)]
    if words[0] == "validate" and not Path(words[1]).exists():
        pytest.skip("a spec of a tutorial; tests/docs/test_tutorials.py")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("command", "page"), [pair for pair in COMMANDS if name_of(words_of(pair[0]), CHECKED)]
)
def test_the_spec_and_its_overrides_are_valid(command, page, tmp_path):
    words = words_of(command)
    if words[1].isupper() or words[1].endswith("/") or words[1] == "--help":
        pytest.skip("no spec, but a word for one")
    spec = ROOT / words[1]
    if not spec.is_file():  # the page must show it, right after its name
        spec = tmp_path / words[1]
        shown = re.search(rf"`{words[1]}`.*?\n```\w+\n(.*?)```", (ROOT / page).read_text(), re.S)
        assert shown, f"{page} does not show {words[1]}"
        spec.write_text(shown[1])
    overrides = [after for option, after in itertools.pairwise(words) if option == "--set"]
    axes = [after for option, after in itertools.pairwise(words) if option == "--grid"]
    if axes:
        pairs = ", ".join(": ".join(axis.split("=", 1)) for axis in axes)
        overrides.append(f"grid={{{pairs}}}")
    todo = plan.plans(spec, overrides, "--quick" in words)
    number = int(words[2]) if words[0] == "run-trial" else 0
    assert len(todo) > number


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_settings_that_the_head_of_a_spec_names_are_valid(spec):
    head = " ".join(re.findall(r"(?m)^#(.*)", spec.read_text()))
    overrides = [words_of(one)[0] for one in re.findall(r"--set ('[^']*'|\S+)", head)]
    assert plan.plans(spec, [one.rstrip(".,;") for one in overrides])


@pytest.mark.parametrize(
    ("target", "page"), all_commands(r"make (?=[a-z]+(?:`|$|\s+#))") + all_commands(r"make -")
)
def test_make_has_the_target(target, page):
    phony = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    assert target in phony


@pytest.mark.parametrize(("command", "page"), all_commands("pip install "))
def test_pip_is_given_extras_that_there_are(command, page):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    words = words_of(command)
    for word in words:
        asked = re.search(r"\[(.*)\]$", word)
        assert set(asked[1].split(",") if asked else ()) <= set(extras)
        if not word.startswith(("-", "RUN/")) and not asked:
            assert (ROOT / word).exists(), f"{page}: what is {word}?"


@pytest.mark.parametrize(("command", "page"), all_commands(r"python (?=benchmarks/)"))
def test_a_benchmark_has_the_options(command, page):
    file, *rest = words_of(command)
    source = (ROOT / file).read_text()
    assert not [word for word in rest if word.startswith("--") and f'"{word}"' not in source]
