"""How a web process asks the analyst; one that is just being begun again is waited for."""

import socket
import time
from pathlib import Path

ANSWER_S = 120.0
BACK_S = 60.0  # within which an analyst that died is there again
_PAUSE_S = 0.2
_DYING_S = 1.0  # a process that is killed takes connections for a moment more, and drops them


def analyse(path: Path, study: str) -> str:
    """Have a study read: `done`, `refused` or `missing`; `waiting` where no analyst answers.

    A request that was cut off is given once more, for the study may have been read by half.

    Args:
        path: of the analyst's socket.
        study: its id.
    """
    for pause_s in (0.0, _DYING_S):
        time.sleep(pause_s)
        connection = _connect(path)
        if connection is None:
            break
        with connection, connection.makefile("rb") as answers:
            try:
                connection.sendall(study.encode() + b"\n")
                answer = answers.readline()
            except OSError:
                continue
        if answer:
            return answer.decode().strip()
    return "waiting"


def _connect(path: Path) -> socket.socket | None:
    until = time.monotonic() + BACK_S
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            if time.monotonic() > until:
                return None
            time.sleep(_PAUSE_S)
        else:
            return connection
