"""The loop of a worker: one JSON request a line in, events and one JSON reply a line out.

    python backends/worker ADAPTER ROOT [HIDDEN MODULE ...]

    {"do": "train", ...}  ->  {"event": "epoch", ...} ...  {"ok": {...}}
                                    or  {"error": {"kind": "ValueError", "message": "..."}}

Whatever a framework prints goes to stderr, which the other side keeps as a log. The worker
ends when its stdin closes or at SIGTERM; a request under way stops after its batch.
"""

import contextlib
import importlib
import importlib.machinery
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
import types

GRACE_S = 20  # for a batch to end when nobody is left to hear of it
ALIVE_EVERY_S = 30

stopping = threading.Event()


def main(adapter_name, root, *hidden):
    """Answer requests until stdin closes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # frameworks print to fd 1, also from C++
    sys.meta_path.insert(0, Hidden(hidden))
    _stand_in(root)
    send, stopped = _voice(replies)
    requests = _requests()
    adapter = None
    for line in iter(requests.get, None):
        request = json.loads(line)
        try:
            if adapter is None:
                module = importlib.import_module("radzoo.backends.worker." + adapter_name)
                adapter = module.Adapter(send, stopped)
            send({"ok": getattr(adapter, request.pop("do"))(**request)})
        except Exception as error:  # noqa: BLE001  the other side sorts them
            with contextlib.suppress(OSError):  # the log's disk is full: still tell why
                traceback.print_exc()
            send({"error": {"kind": type(error).__name__, "message": str(error)}})


def _voice(replies):
    """What sends a message, and what is asked after every batch whether to stop."""
    told = time.monotonic()

    def send(message):
        try:
            replies.write(json.dumps(message) + "\n")
            replies.flush()
        except BrokenPipeError:  # nobody listens: as if stdin had closed
            stopping.set()

    def stopped():
        """Where no event is due, say that the work goes on."""
        nonlocal told
        if time.monotonic() - told > ALIVE_EVERY_S:
            told = time.monotonic()
            send({"event": "alive"})
        return stopping.is_set()

    return send, stopped


class Hidden:
    """A finder and loader of modules that shall not be imported: ImportError.

    None in `sys.modules` would do as well for an import, but Keras takes the name's being
    there for the module's being loaded; and torch does not bear an error in the search.
    """

    def __init__(self, names):
        self._names = names

    def find_spec(self, name, path=None, target=None):
        """Take a hidden module on, or leave it to the next finder."""
        if name.partition(".")[0] in self._names:
            return importlib.machinery.ModuleSpec(name, self, origin="hidden")
        return None

    def create_module(self, spec):
        """Refuse."""
        raise ModuleNotFoundError(f"No module named {spec.name!r} here", name=spec.name)

    def exec_module(self, module):
        """Never reached."""


def _stand_in(root):
    """Make `radzoo` importable without running its `__init__` files, which load our side."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path != here]  # its files would hide others
    for name in "radzoo", "radzoo.backends", "radzoo.backends.legacy":
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(root, *name.split(".")[1:])]
        sys.modules[name] = package


def _requests():
    """Read stdin in a thread, so that its end is seen in the middle of a request.

    Returns:
        A queue of lines, closed by None.
    """
    lines = queue.SimpleQueue()  # its `put` is safe in a signal handler

    def stop(*_):
        stopping.set()
        lines.put(None)

    def read():
        for line in sys.stdin:
            lines.put(line)
        stop()
        threading.Event().wait(GRACE_S)
        os._exit(143)

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=read, daemon=True).start()
    return lines


if __name__ == "__main__":
    main(*sys.argv[1:])
