"""An architecture from another package is listed, and runs like one of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import radzoo.cli

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "radzoo_example_plugin"
ROOT = Path(radzoo.cli.__file__).parent

SPEC = """\
title: A plug-in
dataset: {name: phantom_nodules, options: {images: 120}}
model: {architecture: residual_cnn}
training: {epochs: 1}
evaluation: {resamples: 100}
backends: [fake]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example, built and installed by pip into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source")
    subprocess.run(["cp", "-r", f"{EXAMPLE}/.", str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    return target


def radzoo_command(installed, folder, *arguments):
    here = ROOT if (ROOT / "radzoo.py").exists() else ROOT.parent
    paths = f"{installed}{os.pathsep}{here}"
    env = {**os.environ, "PYTHONPATH": paths, "RADZOO_CACHE": str(folder / "cache")}
    code = "from radzoo.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_listed_and_shown(installed, tmp_path):
    listed = radzoo_command(installed, tmp_path, "models", "list")
    assert "residual_cnn" in listed.stdout
    shown = radzoo_command(installed, tmp_path, "models", "show", "residual_cnn")
    assert "55,874" in shown.stdout


def test_it_runs_to_a_report(installed, tmp_path):
    (tmp_path / "plugin.yaml").write_text(SPEC)
    done = radzoo_command(installed, tmp_path, "run", "plugin.yaml", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.glob("runs/plugin/*/report.html"))


def test_without_it_the_name_is_unknown(tmp_path):
    (tmp_path / "plugin.yaml").write_text(SPEC)
    done = radzoo_command(tmp_path, tmp_path, "validate", "plugin.yaml")
    assert done.returncode == 2
    assert "plugin.yaml:3: model.architecture: No architecture is called" in done.stderr
