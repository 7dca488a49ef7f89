"""Why a model says what it says: heatmaps over the image."""
