"""Markdown: parsing, safe HTML, plain text, reading grade and differences. Pure."""
