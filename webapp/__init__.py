"""The Dash app for clinicians; not built yet."""
