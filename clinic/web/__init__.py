"""Middleware and probes: headers, limits, cached public pages, health, logs, and the page for an outage."""
