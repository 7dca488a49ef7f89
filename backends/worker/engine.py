"""The worker's side of a legacy engine: a process in an old interpreter, asked over pipes."""

import subprocess
import sys

from ... import errors
from ..legacy.engine import wire


class Engine:
    """A running engine; it ends with this process, since its pipe closes.

    Args:
        command: the program and its arguments.
        environment: all of its environment.
    """

    def __init__(self, command, environment):
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr.fileno(),
            bufsize=-1,
        )

    def ask(self, verb, arrays=None, **options):
        """Send a request and wait for its reply.

        Args:
            verb: a method of `legacy/engine/verbs.Engine`.
            arrays: {name: array} to send with it.
            options: JSON values.

        Returns:
            The reply, a dict, and its arrays by name.

        Raises:
            RadZooError: one of `errors` that the engine named.
            WorkerFailed: anything else went wrong in the engine, or it died.
        """
        try:
            wire.write(self._process.stdin, {"do": verb, **options}, arrays or {})
            received = wire.read(self._process.stdout)
        except BrokenPipeError:
            received = None
        if received is None:
            raise self._obituary(verb)
        reply, found = received
        if "error" in reply:
            raise _error(verb, **reply["error"])
        return reply, found

    def _obituary(self, verb):
        code = self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        hint = " Signal 9 is often the system out of memory: try a smaller batch_size."
        kind = errors.ProcessKilled if code < 0 else errors.WorkerFailed
        return kind(f"CNTK's process {how} in {verb!r}.{hint * (code == -9)}")


def _error(verb, kind, message):
    ours = getattr(errors, kind, None)
    if isinstance(ours, type) and issubclass(ours, errors.RadZooError):
        return ours(message)
    return errors.WorkerFailed(f"CNTK failed in {verb!r}: {kind}: {message}")
