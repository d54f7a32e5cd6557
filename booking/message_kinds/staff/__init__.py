"""Emails to staff."""
