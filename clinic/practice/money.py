"""How an amount reads. Pure."""


def format_money(cents: int) -> str:
    """Return `cents` like "$150" or "$87.50"; "Free" for nothing."""
    if not cents:
        return "Free"
    dollars, rest = divmod(cents, 100)
    return f"${dollars:,}.{rest:02}" if rest else f"${dollars:,}"
