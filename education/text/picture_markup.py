"""Picture names and markup. A name contains the size, so that a page does not shift while the picture loads. Pure."""

import re
from collections.abc import Callable
from html import escape

WIDTHS = (480, 800, 1200, 1600)  # pixels; a browser takes the one that suits its screen
_NAME = re.compile(r"[2-9a-hjkmnp-z]{8}-([1-9]\d{2,3})x([1-9]\d{1,3})")
_SHOWN_AT = "(min-width: 62rem) 42rem, 100vw"


def picture_size(name: str) -> tuple[int, int] | None:
    """Width and height of the largest size of the picture `name`; None for an invalid name."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def list_widths(width: int) -> list[int]:
    """The widths that a picture of `width` is kept in: never more than it has."""
    return [*(smaller for smaller in WIDTHS if smaller < width), min(width, WIDTHS[-1])]


def write_picture(name: str, alt: str, *, address: Callable[[str, int], str]) -> str | None:
    """The markup that shows the picture `name`; `address(name, width)` is its URL. None for an invalid name."""
    if not (size := picture_size(name)):
        return None
    width, height = size
    sources = ", ".join(f"{escape(address(name, each))} {each}w" for each in list_widths(width))
    return (
        f'<img src="{escape(address(name, width))}" srcset="{sources}" sizes="{_SHOWN_AT}" width="{width}" '
        f'height="{height}" alt="{escape(alt)}" loading="lazy" decoding="async">'
    )
