"""The one exception that is a sentence for a person."""


class CannotStart(Exception):
    """What stands in the way, and the way out, in one line."""
