"""The exception whose message is shown to the user."""


class CannotStart(Exception):
    """The message says in one line what the obstacle is and how to resolve it."""
