"""Emails with a link that proves that the reader owns the address."""
