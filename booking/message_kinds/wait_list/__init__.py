"""Mails to patients on the wait list."""
