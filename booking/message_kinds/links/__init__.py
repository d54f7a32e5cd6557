"""Mails whose link proves an address."""
