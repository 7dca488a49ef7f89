"""A client that sends slowly is let go; one that is only far away is not."""

import socket
from threading import Timer

import pytest

from radzoo.webapp.hurry import GRACE_S, SLOWEST, Hurried


@pytest.fixture
def pair():
    """A connection whose clock goes on while it waits, its client, and what sets by how much."""
    ours, client = socket.socketpair()
    at, each = [0.0], [0.0]

    def clock():
        at[0] += each[0]  # it is looked at before and after
        return at[0]

    def takes(seconds):
        each[0] = seconds

    with Hurried(ours, clock) as hurried, client:
        yield hurried, client, takes


def test_who_sends_a_sign_now_and_then_is_let_go(pair):
    ours, client, takes = pair
    takes(1)
    for _ in range(int(GRACE_S)):
        client.send(b"x")
        assert ours.recv(8192) == b"x"
    with pytest.raises(ConnectionResetError, match="too slow"):
        ours.recv(8192)


def test_who_keeps_up_may_take_long(pair):
    ours, client, takes = pair
    takes(0.2)
    for _ in range(600):  # two minutes
        client.sendall(bytes(SLOWEST // 5))
        assert len(ours.recv(SLOWEST)) == SLOWEST // 5
    takes(GRACE_S + 1)  # and then hardly goes on
    client.send(b"x")
    assert ours.recv(8192) == b"x"
    with pytest.raises(ConnectionResetError):
        ours.recv(8192)


def test_a_new_request_on_an_old_connection_has_time_of_its_own(pair):
    ours, client, takes = pair
    takes(3600)
    client.send(b"x")
    assert ours.recv(8192) == b"x"
    ours.begin()
    Timer(0.1, client.send, [b"GET"]).start()
    assert ours.recv(8192) == b"GET"
    assert ours.gettimeout() > 0  # an answer that nobody takes does not wait for good either


def test_the_time_that_we_take_is_not_the_client_s():
    ours, client = socket.socketpair()
    at = [0.0]
    with Hurried(ours, lambda: at[0]) as hurried, client:
        at[0] += 3600  # until the database lets us look whether a file is taken at all
        Timer(0.1, client.send, [b"film"]).start()
        assert hurried.recv(8192) == b"film"


def test_who_is_refused_hears_it_and_keeps_nobody_else_waiting(pair):
    ours, client, takes = pair
    takes(1)
    ours.sendall(b"429")
    client.sendall(b"what is left of the film")
    ours.part()
    assert (client.recv(8192), client.recv(8192)) == (b"429", b"")
    with pytest.raises(ConnectionResetError):  # as Gunicorn would for seconds
        ours.recv(8192)
