"""What should be looked at before a dataset is used; nothing is ever deleted.

>>> from radzoo import preprocessing
>>> from radzoo.preprocessing import cleaning
>>> nodules = preprocessing.load("phantom_nodules", images=20)
>>> cleaning.propose(nodules).proposals
()
"""

from .balance import Balance, balance
from .checks import Proposal, names
from .lists import leave_out, write
from .proposals import Cleaning, propose, rows, words
from .sheet import draw

__all__ = [
    "Balance",
    "Cleaning",
    "Proposal",
    "balance",
    "draw",
    "leave_out",
    "names",
    "propose",
    "rows",
    "words",
    "write",
]
