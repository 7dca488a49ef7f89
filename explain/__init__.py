"""Heatmaps of what a network found where, and how far they can be believed.

`explainer.opened` makes a run ready; `registry` knows the methods.
"""
