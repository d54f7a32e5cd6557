"""A therapist's calendar under a secret address, and its alerts."""
