"""The page in a real browser, as a clinician uses it, in both languages."""

import re
from pathlib import Path

import pytest
from browsers import Page, axe, loaded, segment, visit
from rooms import film

from radzoo.webapp import wording

BOTH = pytest.mark.parametrize("language", wording.LANGUAGES)
THEMES = ("dark", "light")


def said(page, key, **values):
    """A sentence in the language of a page."""
    return wording.say(page.language, key, **values)


@pytest.fixture
def files(tmp_path):
    """Three films, a text that calls itself a film, and a name that is hostile."""
    for number in range(3):
        (tmp_path / f"film-{number}.png").write_bytes(film(100 + number, bright=number == 1))
    (tmp_path / "notes.png").write_text("no film at all")
    (tmp_path / "<img src=x onerror=alert(1)>.png").write_bytes(film(110))
    return tmp_path


def upload(page: Page, *paths: Path) -> None:
    """Choose files and wait until each was analysed or refused."""
    page.set_input_files("#files", [str(path) for path in paths])
    done = f"{len(paths)}[^0-9]+{len(paths)}"
    page.until(
        "done => new RegExp(done).test(document.getElementById('upload-state').textContent)", done
    )


@BOTH
def test_files_are_loaded_and_a_bad_one_gets_a_reason(browser, room, files, language):
    with visit(browser, room, f"loads-{language}", language) as page:
        upload(page, *sorted(files.glob("film-*.png")), files / "notes.png")
        loaded(page)
        rows = page.evaluate("radzoo.state.rows")
        assert sorted(row["state"] for row in rows) == ["done", "done", "done", "refused"]
        why = page.locator("#uploads li.failed .why").inner_text()
        assert why == next(row["refusal"] for row in rows if row["state"] == "refused")
        assert {"es": "imagen", "en": "image"}[language] in why


@BOTH
def test_a_dropped_file_is_loaded(browser, room, language):
    with visit(browser, room, f"drops-{language}", language) as page:
        page.evaluate(
            """async () => {
                const bytes = await fetch("/assets/favicon.ico").then((r) => r.arrayBuffer());
                const files = new DataTransfer();
                files.items.add(new File([bytes], "icon.ico"));
                const dropped = { dataTransfer: files, bubbles: true };
                document.dispatchEvent(new DragEvent("drop", dropped));
            }"""
        )
        why = page.locator("#uploads li.failed .why")
        why.wait_for()
        assert "ICO" in why.inner_text()


def test_a_hostile_name_is_text(browser, room, files):
    with visit(browser, room, "hostile", "en") as page:
        upload(page, files / "<img src=x onerror=alert(1)>.png")
        loaded(page)
        assert page.locator(".name").inner_text().startswith("<img src=x")
        assert page.locator("img[src=x]").count() == 0


@pytest.fixture
def reading(browser, room, files):
    """A page with three films, the likeliest chosen; one user a language."""
    opened = []

    def open_page(language, name="reads"):
        made = visit(browser, room, f"{name}-{language}", language)
        page = made.__enter__()
        opened.append(made)
        if not page.evaluate("radzoo.state.rows.length"):
            upload(page, *sorted(files.glob("film-*.png")))
        page.until("radzoo.state.rows.length === 3")
        page.evaluate("() => radzoo.select(radzoo.state.rows[0].id)")  # the likeliest
        loaded(page, 0)
        return page

    yield open_page
    for made in opened:
        made.__exit__(None, None, None)


@BOTH
def test_the_list_falls_by_probability_and_filters_and_keys_work(reading, language):
    page = reading(language)
    shown = page.locator(".cell-share strong").all_inner_texts()
    rows = sorted((row["probability"] for row in page.evaluate("radzoo.state.rows")), reverse=True)
    assert shown == [page.evaluate("p => radzoo.probability(p)", row) for row in rows]
    page.keyboard.press("j")
    loaded(page, 1)
    page.keyboard.press("ArrowDown")
    loaded(page, 2)
    page.keyboard.press("k")
    loaded(page, 1)
    page.evaluate("() => dash_clientside.set_props('threshold', { value: 0.99 })")
    segment(page, "filter", "above")
    high = sum(row >= 0.99 for row in rows)
    page.until("n => document.querySelectorAll('.cell-film').length === n", high)
    segment(page, "filter", "below")
    page.until("n => document.querySelectorAll('.cell-film').length === n", 3 - high)


@BOTH
def test_the_threshold_changes_verdict_and_figures_and_below_always_cautions(reading, language):
    page = reading(language, "cuts")
    page.evaluate("() => dash_clientside.set_props('threshold', { value: 0.01 })")
    page.locator(".said.above").wait_for()
    operating = page.locator("#operating").inner_text()
    table = page.evaluate("radzoo.boot.operating")
    shown = page.evaluate("share => radzoo.percent(share)", table[0]["sensitivity"][0])
    assert operating.startswith(shown)
    page.evaluate("() => dash_clientside.set_props('threshold', { value: 0.99 })")
    page.evaluate("() => radzoo.select(radzoo.state.rows[radzoo.state.rows.length - 1].id)")
    page.locator(".said.below").wait_for()
    assert said(page, "general.does_not_rule_out") in page.locator("#outcome").inner_text()
    assert page.locator("#operating").inner_text() != operating


@BOTH
def test_the_viewer_asks_the_server_nothing(reading, language):
    page = reading(language, "views")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    corner = page.locator(".bottom-left").first

    def changes(act):
        before = corner.inner_text(), page.locator("canvas").first.screenshot()
        act()
        page.wait_for_timeout(250)
        return (corner.inner_text(), page.locator("canvas").first.screenshot()) != before

    box = page.locator("canvas").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 90, middle[1] + 40)
        page.mouse.up()

    assert changes(drag)  # window
    assert changes(lambda: page.keyboard.press("r"))
    page.keyboard.press("p")
    assert page.locator("[data-act=pan]").get_attribute("aria-pressed") == "true"
    assert changes(drag)
    page.keyboard.press("z")
    assert changes(drag)
    assert changes(lambda: page.mouse.wheel(0, -300))
    assert changes(lambda: page.keyboard.press("f"))
    assert changes(lambda: page.keyboard.press("i"))
    assert page.locator("[data-act=invert]").get_attribute("aria-pressed") == "true"
    assert changes(lambda: page.keyboard.press("r"))
    assert changes(lambda: segment(page, "preset", "lung"))
    assert changes(lambda: segment(page, "preset", "file"))
    assert changes(lambda: page.keyboard.press("o"))
    assert changes(lambda: page.keyboard.press("o"))
    assert changes(lambda: page.keyboard.press("]"))
    assert changes(lambda: page.evaluate("dash_clientside.set_props('map-cut', { value: 80 })"))
    assert changes(lambda: page.evaluate("dash_clientside.set_props('map-cut', { value: 0 })"))
    assert changes(
        lambda: page.evaluate("dash_clientside.set_props('map-colours', {value: 'viridis'})")
    )
    page.locator("canvas").first.focus()
    assert changes(lambda: page.keyboard.down("Space"))
    assert changes(lambda: page.keyboard.up("Space"))
    segment(page, "layout", "classes")
    page.until("document.querySelectorAll('.pane').length === 2")
    titles = page.locator(".pane .top-right").all_inner_texts()
    assert [title.split(" · ")[1].split("\n")[0] for title in titles] == page.evaluate(
        "radzoo.boot.classes"
    )
    segment(page, "layout", "split")
    page.wait_for_timeout(250)
    assert page.locator(".pane .top-right").first.inner_text() == said(
        page, "script.viewer_original"
    )
    assert page.locator(".scale").nth(1).is_visible()
    assert said(page, "general.map_caveat") in page.locator(".caveat").inner_text()
    assert asked == []


@BOTH
def test_a_reading_is_kept(reading, language):
    page = reading(language, "keeps")
    page.fill("#note", "nota <b>de prueba</b>")
    page.click("#read-uncertain")
    page.until("radzoo.state.detail.reading !== null")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    loaded(page, 0)
    given = page.evaluate("radzoo.state.detail.reading")
    assert (given["verdict"], given["note"], given["blind"]) == (
        "uncertain",
        "nota <b>de prueba</b>",
        False,
    )
    assert page.locator("#read-uncertain").get_attribute("aria-pressed") == "true"
    assert page.input_value("#note") == "nota <b>de prueba</b>"
    segment(page, "filter", "unread")
    page.until("document.querySelectorAll('.cell-film').length === 2")


@BOTH
def test_reading_first_shows_nothing_of_the_model_before(browser, room, files, language):
    with visit(browser, room, f"first-{language}", language) as page:
        page.locator("#read-first").evaluate("one => one.click()")
        page.until("radzoo.boot.read_first")
        for name in ("film-1.png", "film-0.png", "film-2.png"):
            upload(page, files / name)
        page.until("document.querySelectorAll('.cell-film .name').length === 3")
        loaded(page)
        assert page.locator(".cell-share strong").count() == 0
        names = page.locator(".cell-film .name").all_inner_texts()
        assert names == ["film-1.png", "film-0.png", "film-2.png"]  # as they came
        assert said(page, "page.hidden") in page.locator("#outcome").inner_text()
        assert page.locator("#export-pdf").get_attribute("href") is None
        assert page.locator("#similar-card").is_hidden()
        assert page.locator(".has-map").count() == 0
        page.click("#read-no_finding")
        page.locator(".said").wait_for()
        assert page.evaluate("radzoo.state.detail.reading.blind") is True
        assert page.locator(".cell-share strong").count() == 1


@BOTH
def test_exports_are_saved(reading, language):
    page = reading(language, "exports")
    starts = {"pdf": b"%PDF-", "png": b"\x89PNG", "dicom": b"PK", "csv": b"\xef\xbb\xbf"}
    for kind, start in starts.items():
        with page.expect_download() as told:
            page.click(f"#export-{kind}")
        assert Path(told.value.path()).read_bytes().startswith(start), kind


@BOTH
def test_the_training_view_and_the_model_card(reading, language):
    page = reading(language, "looks")
    segment(page, "view", "training")
    page.locator("#training-content .js-plotly-plot").nth(3).wait_for(timeout=30_000)
    assert said(page, "training.finished") in page.locator("#training-content").inner_text()
    assert "8 / 8" in page.locator(".figures").inner_text()
    segment(page, "view", "model")
    card = page.locator("#model").inner_text()
    assert said(page, "card.intended_text") in card
    area = page.evaluate("fetch('/api/v1/models/' + radzoo.boot.model).then((r) => r.json())")
    value = area["metrics"]["roc_auc"]["value"]
    assert wording.number(page.language, value, 3) in card
    assert said(page, "page.synthetic") in card


@BOTH
def test_no_view_breaks_an_accessibility_rule(reading, language):
    page = reading(language, "axe")
    for theme in THEMES:
        if page.evaluate("document.documentElement.dataset.mantineColorScheme") != theme:
            page.click("#theme")
            page.wait_for_timeout(300)
        for view in ("reading", "training", "model"):
            segment(page, "view", view)
            if view == "training":
                page.locator("#training-content .js-plotly-plot").nth(3).wait_for(timeout=30_000)
            assert axe(page) == [], (theme, view)
        segment(page, "view", "reading")
        for layout in ("split", "classes", "single"):
            segment(page, "layout", layout)
            assert axe(page) == [], (theme, layout)
    page.keyboard.press("?")
    page.locator("kbd").first.wait_for()
    assert axe(page) == [], "keys"


@pytest.mark.parametrize("path", ["/login", "/account/password"])
@BOTH
def test_no_door_breaks_an_accessibility_rule(reading, path, language):
    page = reading(language, "doors")
    if path == "/login":
        page.locator("summary").click()
        page.locator("[data-act=leave]").click()
        page.wait_for_url("**/login")
    else:
        page.goto(page.url_of(path))
    assert axe(page) == []


def test_the_language_can_be_changed(reading):
    page = reading("es", "speaks")
    page.locator("a[href='/language/en']").click()
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert wording.say("en", "page.result") in page.locator(".panel").inner_text()


def test_a_second_tab_shows_what_the_first_did(reading):
    page = reading("en", "tabs")
    second = page.context.new_page()
    second.goto(page.url_of("/"))
    second.wait_for_selector("body[data-ready]")
    page.click("#read-finding")
    page.until("radzoo.state.detail.reading !== null")
    second.reload()
    second.wait_for_selector("body[data-ready]")
    while not second.evaluate("(radzoo.state.detail || {}).reading"):
        second.wait_for_timeout(50)
    second.close()


def test_deleting_asks_first(reading):
    page = reading("en", "deletes")
    before = page.evaluate("radzoo.state.rows.length")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#remove")
    assert page.evaluate("radzoo.state.rows.length") == before
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#remove")
    page.until("n => radzoo.state.rows.length === n - 1", before)


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (390, 844)])
def test_nothing_runs_out_of_a_narrow_page(reading, width, height):
    page = reading("es", "narrow")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(400)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#outcome").is_visible()
    assert re.search(r"\d", page.locator("#operating").inner_text())
    assert axe(page) == []
