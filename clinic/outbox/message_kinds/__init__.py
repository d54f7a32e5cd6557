"""Message kinds of the outbox, one per module."""
