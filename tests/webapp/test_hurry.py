"""A client that sends slowly is let go; one that is only far away is not."""

import socket

import pytest

from radzoo.webapp.hurry import GRACE_S, SLOWEST, Hurried


@pytest.fixture
def pair():
    """A connection on a clock of its own, the client's end of it, and what moves the clock on."""
    ours, client = socket.socketpair()
    at = [0.0]
    hurried = Hurried(ours, lambda: at[0])

    def wait(seconds):
        at[0] += seconds

    with hurried, client:
        yield hurried, client, wait


def test_who_sends_a_sign_now_and_then_is_let_go(pair):
    ours, client, wait = pair
    for _ in range(int(GRACE_S)):
        client.send(b"x")
        assert ours.recv(8192) == b"x"
        wait(1)
    wait(1)
    with pytest.raises(ConnectionResetError, match="too slow"):
        ours.recv(8192)


def test_who_keeps_up_may_take_long(pair):
    ours, client, wait = pair
    for _ in range(600):  # two minutes
        client.sendall(bytes(SLOWEST // 5))
        assert len(ours.recv(SLOWEST)) == SLOWEST // 5
        wait(0.2)
    wait(GRACE_S + 0.1)  # and then stops
    with pytest.raises(ConnectionResetError):
        ours.recv(8192)


def test_a_new_request_on_an_old_connection_has_time_of_its_own(pair):
    ours, client, wait = pair
    wait(3600)
    ours.begin()
    client.send(b"GET")
    assert ours.recv(8192) == b"GET"
    assert ours.gettimeout() > 0  # an answer that nobody takes does not wait for good either
