"""Patients: match, merge, search, names in messages; the contact card."""
