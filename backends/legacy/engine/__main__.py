"""The loop of the engine (2.7): a request in, a reply out, until its stdin closes.

    python backends/legacy/engine

See `wire.py` for the messages. What CNTK prints goes to stderr. The engine ends with its parent:
whatever becomes of the parent, the pipe closes.
"""

import importlib
import os
import sys
import traceback
import types


def main():
    """Answer requests."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # CNTK prints to fd 1, from C++
    wire = _module("wire")
    engine = None
    while True:
        received = wire.read(requests)
        if received is None:
            return
        request, arrays = received
        try:
            engine = engine or _module("verbs").Engine()
            reply, found = getattr(engine, request.pop("do"))(arrays, **_native(request))
        except Exception as error:  # noqa: BLE001  the other side sorts them
            traceback.print_exc()
            reply, found = {"error": {"kind": type(error).__name__, "message": str(error)}}, {}
        wire.write(replies, reply, found)


def _module(name):
    """A module beside this one, in a package of its own: `radzoo` is for newer interpreters."""
    if "cntk_engine" not in sys.modules:
        package = types.ModuleType("cntk_engine")
        package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules["cntk_engine"] = package
    return importlib.import_module("cntk_engine." + name)


def _native(request):
    """Keyword arguments, which Python 2.7 wants as its own kind of string."""
    return {str(key): value for key, value in request.items()}


if __name__ == "__main__":
    try:
        main()
    finally:
        sys.stderr.flush()
        os._exit(0)  # CNTK's destructors can crash at the end of the process
