"""Take the pictures of docs/webapp/: every view of an open reading room, dark and light, 3 widths.

python cli.py serve --run RUN --home HOME            # in another terminal
python cli.py users add NAME --home HOME
RADZOO_PASSWORD=... python benchmarks/screenshots.py --name NAME --films FOLDER --out docs/webapp

The films must be drawn ones: pictures of patients are never published.
"""

import argparse
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {"desktop": (1600, 950), "tablet": (834, 1112), "phone": (390, 844)}
LANGUAGES = {"dark": "es", "light": "en"}  # each theme in the language of the other's reader
QUALITY = 82
LIKELIEST = """() => radzoo.select(
  radzoo.state.rows.toSorted((a, b) => b.probability - a.probability)[0].id)"""


def main() -> None:
    """Sign in at every width and theme, and write a WebP a view."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8050")
    parser.add_argument("--name", required=True, help="whose password is in RADZOO_PASSWORD")
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for theme in LANGUAGES:
            for width in WIDTHS:
                _visit(browser, given, theme, width)
        browser.close()


def _visit(browser: Browser, given: argparse.Namespace, theme: str, width: str) -> None:
    across, down = WIDTHS[width]
    page = browser.new_page(
        viewport={"width": across, "height": down},
        locale={"es": "es-ES", "en": "en-GB"}[LANGUAGES[theme]],
        has_touch=width != "desktop",
    )

    def shot(view: str) -> None:
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")  # what loads when seen
        page.wait_for_timeout(400)
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(300)
        taken = Image.open(io.BytesIO(page.screenshot(full_page=width != "desktop")))
        target = given.out / f"{view}-{theme}-{width}.webp"
        taken.convert("RGB").save(target, quality=QUALITY, method=6)
        print(target)

    page.goto(f"{given.url}/login")
    page.emulate_media(color_scheme=theme)
    shot("door")
    page.fill("input[name=name]", given.name)
    page.fill("input[name=password]", os.environ["RADZOO_PASSWORD"])
    page.click("button[type=submit]")
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    _load(page, given.films)
    if page.evaluate("document.documentElement.dataset.mantineColorScheme") != theme:
        page.click("#theme")
    for view, show in VIEWS.items():
        show(page)
        shot(view)
    page.close()


def _load(page: Page, films: Path) -> None:
    """The folder's films, if there are none; then the likeliest is read."""
    files = sorted(str(path) for path in films.glob("*.png"))
    if not page.evaluate("radzoo.state.rows.length"):
        page.set_input_files("#files", files)
        while page.evaluate("radzoo.state.rows.length") < len(files):
            page.wait_for_timeout(200)
        page.wait_for_timeout(1000)
    page.evaluate(LIKELIEST)


def _choose(page: Page, name: str, value: str) -> None:
    page.locator(f"#{name} input[value='{value}']").evaluate("one => one.click()")
    page.wait_for_timeout(300)


def _layout(value: str) -> Callable[[Page], None]:
    return lambda page: _choose(page, "layout", value)


def _training(page: Page) -> None:
    _choose(page, "view", "training")
    page.locator("#training-content .js-plotly-plot").nth(3).wait_for(timeout=30_000)


def _read_first(page: Page, on: bool) -> None:
    _choose(page, "view", "reading")
    _choose(page, "layout", "single")
    if page.evaluate("radzoo.boot.read_first") != on:
        page.locator("#read-first").evaluate("one => one.click()")
        page.wait_for_timeout(1500)


def _keys(page: Page) -> None:
    _read_first(page, on=False)
    page.keyboard.press("?")


VIEWS: dict[str, Callable[[Page], None]] = {
    "reading": _layout("single"),
    "split": _layout("split"),
    "classes": _layout("classes"),
    "training": _training,
    "model": lambda page: _choose(page, "view", "model"),
    "blind": lambda page: _read_first(page, on=True),
    "keys": _keys,
}

if __name__ == "__main__":
    main()
