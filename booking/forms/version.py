"""The version of a visit that a form carries."""


def read_version(sent: str) -> int:
    """The version of a visit that a form carries: the one its page showed. -1, which no visit has, for none and garbage."""
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= 5 else -1
