"""Clients that send slowly are not waited for: each holds a thread that others need.

Gunicorn leaves that to a proxy before it. A room may be reached without one, and who is not signed
in can send slowly, too.
"""

import errno
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

GRACE_S = 10.0  # a client may take so long before it is looked at
SLOWEST = 10_000  # bytes a second, on average, of a request that takes longer
ANSWER_S = 60.0  # within which a client takes what it is sent, a piece at a time
LINGER_S = 2.0  # for a client that still sends while it is told that it is refused


class Hurried(socket.socket):
    """A connection that is over when its client does not keep up.

    Args:
        connection: that it takes the place of.
        clock: tells the time in seconds.
    """

    def __init__(self, connection: socket.socket, clock: Any = time.monotonic) -> None:
        kind = connection.family, connection.type, connection.proto
        super().__init__(*kind, fileno=connection.detach())
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """A request begins."""
        self._left = GRACE_S  # seconds that its client may still keep us waiting

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As of any socket.

        Raises:
            ConnectionResetError: too little has come for the time that was spent here.
        """
        given, left, began = self.gettimeout(), max(self._left, 0.001), self._clock()
        try:
            self.settimeout(left if given is None else min(given, left))
            got = super().recv(size, flags)
        except TimeoutError as error:  # what Gunicorn takes for a client that went away
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow.") from error
        finally:
            self.settimeout(ANSWER_S)
        self._left += len(got) / SLOWEST - (self._clock() - began)
        return got

    def part(self) -> None:
        """Say that no more is sent, and let the client hear it before the connection is over.

        Were it closed while something comes, the answer could be lost. Gunicorn does this too, but
        in the thread that serves all others, which finds nothing left to wait for.
        """
        until = self._clock() + LINGER_S
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            while (left := until - self._clock()) > 0:
                self.settimeout(left)
                if not super().recv(65536):
                    break
        self._left = 0


class Worker(ThreadWorker):
    """Gunicorn's threads, with such connections."""

    def handle(self, conn: TConn) -> Any:
        """A request comes on a connection, new or kept alive."""
        if not isinstance(conn.sock, Hurried):
            conn.sock = Hurried(conn.sock)
        conn.sock.begin()
        kept = super().handle(conn)
        if not kept:
            conn.sock.part()
        return kept
