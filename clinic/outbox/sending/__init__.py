"""Sending due messages, and the heartbeat of the sweep."""
