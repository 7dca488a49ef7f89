"""Heatmap methods, one file each; see `registry.method`."""
