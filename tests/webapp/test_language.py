"""Spanish or English, as the reader chose or their browser asks."""

import re

import pytest

from radzoo.webapp.wording import sentences

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("cookie", "asked", "spoken"),
    [
        (None, "en-GB,en;q=0.9", "en"),
        (None, "es-AR", "es"),
        (None, "de,en;q=0.5", "en"),
        (None, "de", "es"),
        ("en", "es", "en"),
        ("es", "en", "es"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_that_of_the_browser(stranger, cookie, asked, spoken):
    if cookie:
        stranger.client.set_cookie("language", cookie)
    page = stranger.client.get("/login", headers={**HTML, "Accept-Language": asked}).text
    assert f'<html lang="{spoken}">' in page
    assert f"<h1>{sentences()['accounts.sign_in'][spoken]}</h1>" in page


def test_choosing_a_language_leads_back(stranger):
    link = re.search(r'href="(/language/en[^"]*)"', stranger.page("/login?next=/a%3Fb=c%26d").text)
    answer = stranger.client.get(link[1].replace("&amp;", "&"))
    assert "Max-Age=31536000" in answer.headers["Set-Cookie"]
    page = stranger.page(answer.location).text
    assert '<html lang="en">' in page
    assert 'name="next" value="/a?b=c&amp;d"' in page
    assert stranger.client.get("/language/xx").status_code == 404
