"""Format and parse amounts of money. Pure."""

import re

MOST_CENTS = 1_000_000  # $10,000: more than any visit costs, less than a price typed in cents by mistake
_AMOUNT = re.compile(r"\$?\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]{1,2}))?")


class MoneyInvalid(ValueError):
    """The text is not an amount of dollars, or is not an allowed amount."""


class TooMuchMoney(MoneyInvalid):
    """The amount is above MOST_CENTS."""


def format_money(cents: int) -> str:
    """Return `cents` like "$150" or "$87.50"; "Free" for 0."""
    if not cents:
        return "Free"
    dollars, rest = divmod(cents, 100)
    return f"${dollars:,}.{rest:02}" if rest else f"${dollars:,}"


def format_dollars(cents: int) -> str:
    """Return `cents` as typed into a form: "165", "87.50", "0"."""
    dollars, rest = divmod(cents, 100)
    return f"{dollars}.{rest:02}" if rest else str(dollars)


def parse_money(text: str) -> int:
    """Return the cents of an amount of dollars like "165", "165.5", "165.00" or "$1,650".

    Raises TooMuchMoney above MOST_CENTS, and MoneyInvalid for text that is not such an amount, such as a negative
    number or one with more than two decimals.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise MoneyInvalid(text)
    dollars, decimals = found[1].replace(",", "").lstrip("0"), (found[2] or "").ljust(2, "0")
    if len(dollars) > len(str(MOST_CENTS)) or (cents := int(f"{dollars}{decimals}")) > MOST_CENTS:
        raise TooMuchMoney(text)
    return cents
