"""radzoo: lung-image classifiers on any Keras backend. This folder is the package.

Keep this file without code: in a checkout that is not installed, `radzoo.py`
stands in for it.
"""
