"""What a browser is told that a page may do, and where cookies go."""

import pytest

from radzoo.webapp import csrf

HTML = {"Accept": "text/html"}
PASSWORD = "a quiet room to read"
EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


@pytest.mark.parametrize(
    "address", ["/", "/login", "/healthz", "/api/v1/me", "/no/such", "/_favicon.ico"]
)
def test_every_answer_has_its_headers(inside, address):
    headers = inside.page(address).headers
    assert EXPECTED.items() <= dict(headers).items()
    assert ("no-store" in headers.get("Cache-Control", "")) == (address != "/_favicon.ico")
    assert "Strict-Transport-Security" not in headers


def test_only_scripts_of_ours_run(serve, browse, reader):
    browser = browse(serve())
    browser.sign_in()
    answer = browser.page("/")
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["script-src"].startswith("'self' 'sha256-")
    assert "unsafe" not in policy["script-src"] + policy["default-src"]
    for name in ("object-src", "frame-ancestors", "base-uri"):
        assert policy[name] == "'none'"
    assert "<script>" not in browser.page("/login").text


def test_over_https_cookies_are_bound_to_it(serve, browse, reader):
    browser = browse(serve(https=True))
    secure = {"base_url": "https://localhost", "headers": HTML}
    field = (
        browser.client.get("/login", **secure).text.split('name="csrf" value="')[1].split('"')[0]
    )
    form = {"csrf": field, "name": "reader-a", "password": PASSWORD}
    answer = browser.client.post("/login", data=form, **secure)
    assert answer.status_code == 303
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookies = {cookie.split("=")[0]: cookie for cookie in answer.headers.getlist("Set-Cookie")}
    session_cookie, csrf_cookie = cookies["__Host-radzoo"], cookies[csrf.COOKIE]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(session_cookie.split("; "))
    assert {"Secure", "SameSite=Strict"} <= set(csrf_cookie.split("; "))
    assert "HttpOnly" not in csrf_cookie
