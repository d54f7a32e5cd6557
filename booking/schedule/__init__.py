"""A therapist's schedule: reading, locking, availability, booking rules, and the local time of a visit."""
