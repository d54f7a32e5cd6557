"""The views for patients, one module per page."""
