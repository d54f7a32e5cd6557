"""The views patients meet, one module a page."""
