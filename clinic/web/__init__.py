"""Middleware and probes: headers, limits, cached public pages, health, logs, and the outage page."""
