"""What `serve` says of where the room is."""

import socket

import pytest

from radzoo.errors import UserError
from radzoo.webapp.processes import Address, watch


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


def test_an_address_that_cannot_be_had_is_told_before_anything_starts():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"Port {port} of 127.0.0.1 .*in use.*--port"):
            watch(None, Address("127.0.0.1", port), print, print)
