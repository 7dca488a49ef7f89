"""A program of its own, run in the interpreter of a backend; `__main__.py` tells its protocol.

Of radzoo it imports `zoo`, `errors` and `backends.graph` alone. Files that say (3.6) also
serve the legacy worker: they keep to Python 3.6, the standard library and NumPy.
"""
