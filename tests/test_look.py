"""Style sheets: contrast in both color schemes, one set of tokens, and nothing that the CSP blocks."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

ROOT = Path(__file__).resolve().parent.parent
SITE_CSS = ROOT / "static/css/clinic.css"
ADMIN_CSS = ROOT / "static/css/admin.css"
TOKEN = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{3,6})\b")
ADMIN_TOKEN = re.compile(r"--([a-z-]+):\s*light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\)")

# (foreground, background, minimum contrast). WCAG 2.2 requires 4.5 for text and 3 for the outlines of controls.
PAIRS = [
    ("ink", "paper", 7),
    ("ink", "surface", 7),
    ("ink", "emergency-tint", 7),
    ("ink", "urgent-tint", 7),
    ("ink-soft", "paper", 4.5),
    ("ink-soft", "sunken", 4.5),
    ("ink-soft", "pine-tint", 4.5),
    ("pine", "paper", 4.5),
    ("pine", "sunken", 4.5),
    ("pine", "pine-tint", 4.5),
    ("pine", "hill-far", 4.5),
    ("on-pine", "pine", 4.5),
    ("on-pine", "pine-deep", 4.5),
    ("on-coral", "coral", 4.5),
    ("emergency", "emergency-tint", 7),
    ("urgent", "urgent-tint", 7),
    ("line", "surface", 3),
    ("line", "paper", 3),
]


def site_tokens() -> dict[str, dict[str, str]]:
    light, _, dark = SITE_CSS.read_text().partition("@media (prefers-color-scheme: dark)")
    light_tokens = dict(TOKEN.findall(light))
    return {"light": light_tokens, "dark": {**light_tokens, **dict(TOKEN.findall(dark.partition("/* Bootstrap")[0]))}}


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two hex colors, from 1 to 21."""
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    channels = (int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_21_for_black_on_white_and_1_for_equal_colors():
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#1d5c4b", "#1d5c4b") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_tokens_have_enough_contrast_in_both_schemes(scheme, front, back, least):
    tokens = site_tokens()[scheme]
    assert contrast(tokens[front], tokens[back]) >= least


def test_admin_tokens_have_the_sites_colors():
    tokens = site_tokens()
    shared = ADMIN_TOKEN.findall(ADMIN_CSS.read_text())
    assert len(shared) > 10
    for name, light, dark in shared:
        assert (light, dark) == (tokens["light"][name], tokens["dark"][name]), name


def test_templates_have_no_inline_style_or_handler():
    refused = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE)
    pages = [path for path in (ROOT / "templates").rglob("*.html") if "emails" not in path.parts]
    assert pages
    assert [str(path.relative_to(ROOT)) for path in pages if refused.search(path.read_text())] == []


def test_style_sheets_and_scripts_stay_below_their_size_limits():
    assert len(SITE_CSS.read_text().splitlines()) < 500
    assert len(ADMIN_CSS.read_text().splitlines()) < 500
    scripts = (ROOT / "static/js").glob("*.js")
    assert sum(len(script.read_text().splitlines()) for script in scripts) < 300
    assert len((ROOT / "templates/_ornament_hills.html").read_bytes()) < 6_000


def test_server_error_page_opens_without_a_database():
    # Without the db fixture, a query would fail.
    page = render_to_string("500.html")
    assert 'href="tel:911"' in page
