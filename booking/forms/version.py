"""The version of a visit that a form carries."""


def read_version(sent: str) -> int:
    """Parse the version of a visit that a form carries. -1, which no visit has, if missing or malformed."""
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 5 else -1
