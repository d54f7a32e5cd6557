"""A therapist's calendar at a secret URL, and alerts about it."""
