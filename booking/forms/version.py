"""The version of a visit in a form."""


def read_version(sent: str) -> int:
    """Parse the version of a visit in a form. Return -1, which no visit has, if it is missing or malformed."""
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 5 else -1
