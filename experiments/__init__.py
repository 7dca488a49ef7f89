"""Experiments: a YAML spec in, a run directory out.

`plan.plans` reads a spec into the runs it asks for; `runner.run` does one of them.
"""
