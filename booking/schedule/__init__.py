"""A therapist's schedule: reading and locking it, availability, rules, and when a visit is."""
