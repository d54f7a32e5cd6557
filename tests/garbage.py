"""What arrives in fields and addresses without anybody having meant it, or with somebody meaning harm."""

GARBAGE = [
    "",
    "\x00",
    "a\x00b",
    "\x1b[2J\x07\x85\u2028",
    "\ufffd\ufffe\u202e",
    "9" * 5000,
    "99999999999999999999",
    "-1",
    "1e999",
    "NaN",
    "٣",
    "' OR 1=1 --",
    "%",
    "\\",
    "[",
    "a" * 3000,
    "__class__",
    "0001-01-01",
    "9999-12-31",
    "00000000-0000-0000-0000-000000000000",
]
HARMFUL = ["a\x00b", "\x1b[2J\x07\x85\u2028", "9" * 5000, "99999999999999999999", "1e999", "9999-12-31"]
