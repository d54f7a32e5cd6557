"""Detect a mistyped mailbox provider, such as "gmial.com" for "gmail.com". Pure.

The result is only a hint: the typed domain may be real, so the visitor is asked once.
"""

# Providers of most private mailboxes in the US, and real providers with similar names.
PROVIDERS = (
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "aol.com",
    "comcast.net",
    "live.com",
    "msn.com",
    "me.com",
    "mac.com",
    "verizon.net",
    "att.net",
    "sbcglobal.net",
    "protonmail.com",
    "proton.me",
    "ymail.com",
    "rocketmail.com",
    "googlemail.com",
    "metrocast.net",
    "fairpoint.net",
    "mail.com",
    "email.com",
    "gmx.com",
    "gmx.net",
    "fastmail.com",
    "hey.com",
    "zoho.com",
    "cox.net",
    "charter.net",
    "live.ca",
    "yahoo.ca",
    "yahoo.co.uk",
    "hotmail.co.uk",
    "outlook.de",
)
ENDINGS = {
    "con": "com",
    "cmo": "com",
    "ocm": "com",
    "comm": "com",
    "cpm": "com",
    "vom": "com",
    "xom": "com",
    "nte": "net",
}
SHORTEST = 7  # characters; only longer providers are compared by edits: "me.com" and "ne.com" are both plausible


def suggest_address(address: str) -> str | None:
    """Return the address that was probably meant if the domain looks like a typo, else None."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if not local or domain in PROVIDERS:
        return None
    name, _, ending = domain.rpartition(".")
    corrected = f"{name}.{ENDINGS[ending]}" if ending in ENDINGS else domain
    near = [one for one in PROVIDERS if one == corrected or (len(one) > SHORTEST and is_one_slip(corrected, one))]
    if near:
        return f"{local}@{near[0]}"
    return f"{local}@{corrected}" if corrected != domain else None


def is_one_slip(typed: str, meant: str) -> bool:
    """Whether `typed` differs from `meant` by one missing, extra or wrong character, or two swapped neighbors."""
    if typed == meant or abs(len(typed) - len(meant)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant)))
    rest_typed, rest_meant = typed[same:], meant[same:]
    if len(typed) != len(meant):
        longer, shorter = sorted((rest_typed, rest_meant), key=len, reverse=True)
        return longer[1:] == shorter
    is_swapped = rest_typed[:2] == rest_meant[:2][::-1] and rest_typed[2:] == rest_meant[2:]
    return is_swapped or rest_typed[1:] == rest_meant[1:]
