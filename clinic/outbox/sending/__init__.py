"""Sending what is due, and its heartbeat."""
