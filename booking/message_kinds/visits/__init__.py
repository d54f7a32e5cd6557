"""Emails and texts about a visit."""
