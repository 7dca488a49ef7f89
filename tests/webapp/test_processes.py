"""What `serve` says of where the room is."""

import pytest

from radzoo.webapp.processes import Address


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8050"),
        ("0.0.0.0", "http://127.0.0.1:8050"),
        ("::", "http://[::1]:8050"),
        ("2001:db8::7", "http://[2001:db8::7]:8050"),
        ("reading.example", "http://reading.example:8050"),
    ],
)
def test_the_link_is_one_that_a_browser_takes(host, url):
    assert Address(host, 8050).url == url
