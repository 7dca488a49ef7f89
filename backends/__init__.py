"""Backends: each is a worker process that builds, trains and applies models of the zoo.

>>> from radzoo import backends
>>> with backends.connect("fake") as worker:
...     worker.described["backend"]
'fake'
"""

from .client import Worker, connect
from .registry import Backend, frameworks, get, names

__all__ = ["Backend", "Worker", "connect", "frameworks", "get", "names"]
