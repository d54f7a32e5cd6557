"""Patients (matching, merging, search, names in messages) and the clinic's contact card."""
