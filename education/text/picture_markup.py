"""Picture names and markup. A name contains the size, so that a page does not shift while the picture loads. Pure."""

import re
from collections.abc import Callable
from html import escape

WIDTHS = (480, 800, 1200, 1600)  # pixels; the srcset
_NAME = re.compile(r"[2-9a-hjkmnp-z]{8}-([1-9]\d{2,3})x([1-9]\d{1,3})")
_SHOWN_AT = "(min-width: 62rem) 42rem, 100vw"


def picture_size(name: str) -> tuple[int, int] | None:
    """Return width and height in pixels of the largest size of the picture `name`; None for an invalid name."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def list_widths(width: int) -> list[int]:
    """Return the widths in which a picture of `width` pixels is stored; it is never enlarged."""
    return [*(smaller for smaller in WIDTHS if smaller < width), min(width, WIDTHS[-1])]


def write_picture(name: str, alt: str, *, url: Callable[[str, int], str]) -> str | None:
    """Return the HTML of the picture `name`; `url(name, width)` returns its URLs. None for an invalid name."""
    if not (size := picture_size(name)):
        return None
    width, height = size
    sources = ", ".join(f"{escape(url(name, each))} {each}w" for each in list_widths(width))
    return (
        f'<img src="{escape(url(name, width))}" srcset="{sources}" sizes="{_SHOWN_AT}" width="{width}" '
        f'height="{height}" alt="{escape(alt)}" loading="lazy" decoding="async">'
    )
