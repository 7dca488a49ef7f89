"""A program of its own, run in the interpreter of a backend; `__main__.py` tells its protocol.

Of radzoo it imports `zoo`, `errors`, `backends.graph` and the messages of `backends.legacy.engine`
alone.
"""
