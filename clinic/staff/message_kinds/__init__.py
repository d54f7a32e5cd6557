"""Emails to members of staff about their own account."""
