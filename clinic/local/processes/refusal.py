"""The exception whose message is shown to the user."""


class CannotStart(Exception):
    """A command cannot run. The message names the obstacle and how to resolve it."""
