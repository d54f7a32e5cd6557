"""Helpers for the views of all rooms: redirects, headers, page URLs, and the models shown on public pages."""
