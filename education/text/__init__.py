"""Markdown in, safe HTML and figures about the text out. Pure."""
