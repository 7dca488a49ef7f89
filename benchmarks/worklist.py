"""How fast the reading room's page answers with a long worklist, and whether it takes many files.

python cli.py serve --run RUN --home HOME            # in another terminal
python cli.py users add NAME --home HOME
RADZOO_PASSWORD=... python benchmarks/worklist.py --name NAME [--files 1000]

Films are drawn: noise of 96 x 96 pixels. They are given to the page's own file input, all at once.
A key, a click or a drag counts until the frame after the page shows what it did.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

SIDE = 96
REPEATED = 15

# Milliseconds from an event until the frame after what it shows has changed.
TIMED = """
async () => {
  const shown = () => String(%(shown)s), before = shown(), began = performance.now();
  %(act)s;
  while (shown() === before) {
    if (performance.now() - began > 10000) throw new Error('nothing happened');
    await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""
KEY = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
CLICK = "document.querySelector(`%s`).click()"
FILTER = CLICK % "#filter input[value='%s']"
CHOSEN = (
    "(document.querySelector('.ag-row-selected') || {getAttribute() {}}).getAttribute('row-id')"
)
COUNT = "document.querySelector('.ag-center-cols-container').style.height"
FIRST = "document.querySelector('.ag-row[row-index=\"0\"]').getAttribute('row-id')"
DRAG = (
    "dash_clientside.set_props('threshold', {value: (radzoo.state.threshold * 100 + 7) % 90 / 100})"
)
WORDS = "document.querySelector('.cell-share .track b').style.left"

HALVE = """() => {
  const shares = radzoo.state.rows.map((row) => row.probability).sort((a, b) => a - b);
  dash_clientside.set_props("threshold", { value: shares[Math.floor(shares.length / 2)] });
}"""

MEASURED = {
    "next film: the row is chosen (key j)": (KEY % "j", CHOSEN),
    "next film: its image is drawn (key j)": (
        KEY % "j",
        "document.getElementById('viewer').dataset.ready",
    ),
    "sort by the name of the film (click)": (
        CLICK % ".ag-header-cell[col-id='name'] .ag-header-cell-label",
        FIRST,
    ),
    "above the threshold, and all again (click)": (
        f"const all = radzoo.state.filter !== 'all'; all ? {FILTER % 'all'} : {FILTER % 'above'}",
        COUNT,
    ),
    "threshold drawn, the list repainted": (DRAG, WORDS),
}


def main() -> None:
    """Print a row a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8050")
    parser.add_argument("--name", required=True, help="whose password is in RADZOO_PASSWORD")
    parser.add_argument("--files", type=int, default=500)
    given = parser.parse_args()
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        files = _films(Path(folder), given.files)
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 950})
        _enter(page, given)
        _load(page, files)
        listed = page.evaluate("radzoo.state.rows.length")
        page.evaluate(HALVE)
        print(f"\nWith {listed} films listed, {REPEATED} times each, in ms:\n")
        print("| what | median | slowest |\n|---|---|---|")
        for what, (act, shown) in MEASURED.items():
            script = TIMED % {"act": act, "shown": shown}
            page.evaluate("dash_ag_grid.getApi('grid').ensureIndexVisible(0)")
            page.wait_for_timeout(500)
            times = [_timed(page, script) for _ in range(REPEATED)]
            print(f"| {what} | {statistics.median(times):.0f} | {max(times):.0f} |", flush=True)
        browser.close()


def _timed(page: Page, script: str) -> float:
    took = float(page.evaluate(script))
    page.wait_for_timeout(150)
    return took


def _films(folder: Path, count: int) -> list[str]:
    draw = np.random.default_rng(time.time_ns())
    paths = [folder / f"film-{number:04d}.png" for number in range(count)]
    for path in paths:
        Image.fromarray(draw.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


def _enter(page: Page, given: argparse.Namespace) -> None:
    page.goto(f"{given.url}/login")
    page.fill("input[name=name]", given.name)
    page.fill("input[name=password]", os.environ["RADZOO_PASSWORD"])
    page.click("button[type=submit]")
    page.wait_for_selector("body[data-ready]", timeout=60_000)


def _load(page: Page, files: list[str]) -> None:
    if not files:
        return
    began = time.perf_counter()
    page.set_input_files("#files", files)
    told = f"{len(files)}"
    while not page.evaluate(
        "told => document.getElementById('upload-state').textContent"
        ".match(/\\d[\\d.,]*/g).slice(0, 2).every((n) => n === told)",
        told,
    ):
        page.wait_for_timeout(500)
    page.wait_for_timeout(2000)
    seconds = time.perf_counter() - began
    failed = page.locator("#uploads li.failed").count()
    print(f"{len(files)} files chosen at once: {seconds:.0f} s, {failed} failed", flush=True)


if __name__ == "__main__":
    main()
