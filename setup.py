"""Packaging of the layout: this folder is the package `radzoo`. All else is in pyproject.toml."""

from setuptools import find_namespace_packages, setup

PARTS = [
    "zoo*",
    "preprocessing*",
    "backends*",
    "evaluation*",
    "experiments*",
    "explain*",
    "commands*",
    "webapp*",
]

setup(
    package_dir={"radzoo": "."},
    packages=["radzoo." + part for part in find_namespace_packages(include=PARTS)],
    py_modules=["radzoo.cli", "radzoo.errors", "radzoo.hdf5", "radzoo.terminal", "radzoo.version"],
    package_data={"": ["*.yaml", "*.css", "*.ico", "*.j2", "*.js"]},
)
