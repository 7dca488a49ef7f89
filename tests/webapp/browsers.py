"""A real browser on a room: pages that listen for every complaint of the browser's."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from rooms import PASSWORD, Room, with_account

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-dev-shm-usage",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Page:
    """A page of Playwright's, with the language it speaks."""

    def __init__(self, page: Any, room: Room, language: str, complaints: list[str]) -> None:
        self._page, self._room, self.language, self._complaints = page, room, language, complaints

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)

    def until(self, script: str, given: Any = None, seconds: float = 60) -> None:
        """Wait until a script is true; Playwright's own way needs eval(), which we forbid."""
        end = time.monotonic() + seconds
        while not self._page.evaluate(script, given):
            assert time.monotonic() < end, f"never true: {script}"
            self._page.wait_for_timeout(50)

    def forgive(self, *words: str) -> None:
        """Take back complaints with one of these words, which a test has brought about."""
        kept = [one for one in self._complaints if not any(word in one for word in words)]
        self._complaints[:] = kept

    def url_of(self, path: str) -> str:
        """Of a path in the room."""
        return self._room.url + path


@contextmanager
def visit(browser: Browser, room: Room, name: str, language: str) -> Iterator[Page]:
    """Sign in by the form; at the end nothing may have been complained of or asked elsewhere."""
    with_account(room.home, name)
    locale = {"es": "es-ES", "en": "en-GB"}[language]
    context = browser.new_context(viewport={"width": 1600, "height": 950}, locale=locale)
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda told: told.type == "error" and complaints.append(told.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: _elsewhere(asked.url, room, complaints))
    page.goto(f"{room.url}/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    try:
        yield Page(page, room, language, complaints)
    finally:
        context.close()
    assert not complaints, complaints


def _elsewhere(url: str, room: Room, complaints: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != room.url:
        complaints.append(f"asked elsewhere: {url}")


def segment(page: Page, name: str, value: str) -> None:
    """Choose in a segmented control."""
    page.locator(f"#{name} input[value='{value}']").evaluate("one => one.click()")


def loaded(page: Page, row: int | None = None) -> None:
    """Wait until the chosen film is drawn; that of a row if one is given."""
    if row is not None:
        page.locator(f".ag-row-selected[row-index='{row}']").first.wait_for()
    page.until(
        "() => { const wanted = radzoo.state.selected;"
        " return wanted && document.getElementById('viewer').dataset.ready === wanted; }"
    )


def axe(page: Page) -> list[str]:
    """What breaks a rule of WCAG 2.2 AA or a best practice, by axe-core."""
    found = Axe().run(page._page, options={"runOnly": RULES}).response["violations"]
    return [f"{one['id']}: {one['help']} {one['nodes'][0]['html'][:160]}" for one in found]
