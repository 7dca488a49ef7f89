import doctest

from radzoo import evaluation


def test_the_example_of_the_package_runs():
    found = doctest.testmod(evaluation)
    assert (found.failed, found.attempted > 0) == (0, True)
