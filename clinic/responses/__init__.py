"""Shared by the views of all rooms: redirects, headers, page addresses, and the models that public pages show."""
