"""Emails to patients on the wait list."""
