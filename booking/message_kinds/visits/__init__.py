"""Mails and texts about a visit."""
