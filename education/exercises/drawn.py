"""Drawings as files, rendered once a process, and how pages refer to them."""

import base64
import functools
import hashlib
import re
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from education.drawing.exercises.catalog import DRAWINGS
from education.drawing.motion import motion_svg
from education.drawing.pictures import Stage

SHRUNK = 4  # units of a picture, which are millimeters, for each CSS pixel of an image on a page


@dataclass(frozen=True)
class Shown:
    """A frame on a page: its address, size in units of the picture, caption, and "right", "wrong" or nothing."""

    url: str
    width: int
    height: int
    words: str
    mark: str = ""


@functools.cache
def stage_of(code: str) -> Stage:
    """Return the drawing with its poses solved. Raises KeyError for an unknown code."""
    return Stage(DRAWINGS[code])


@functools.lru_cache(maxsize=256)
def frame_file(code: str, number: int) -> str:
    """Return frame `number`, from 1, as SVG. Raises KeyError for an unknown code, IndexError for an unknown number."""
    if number < 1:
        raise IndexError(number)
    return stage_of(code).svg(number - 1)


@functools.lru_cache(maxsize=64)
def motion_file(code: str) -> str:
    """Return the drawing in motion. Raises KeyError for an unknown code, ValueError if its frames do not move."""
    return motion_svg(stage_of(code))


def frames_of(code: str) -> list[Shown]:
    """Return the frames of a drawing as pages show them."""
    stage = stage_of(code)
    return [
        Shown(
            reverse("education:drawing", args=[code, number]),
            stage.box.width,
            stage.box.height,
            frame.words,
            frame.mark,
        )
        for number, frame in enumerate(stage.drawing.frames, 1)
    ]


def cover_of(code: str) -> Shown:
    """Return the frame that stands for a drawing: the last that shows no mistake."""
    return [frame for frame in frames_of(code) if frame.mark != "wrong"][-1]


def picture_markup(code: str, number: int, alt: str) -> SafeString:
    """Return a frame as an `img` element. Raises KeyError for an unknown code, IndexError for an unknown number."""
    frame = frames_of(code)[number - 1]
    return format_html(
        '<img src="{}" alt="{}" width="{}" height="{}" loading="lazy">',
        frame.url,
        alt or frame.words,
        frame.width // SHRUNK,
        frame.height // SHRUNK,
    )


def picture_named(name: str, alt: str) -> SafeString | None:
    """Return the frame that an article names, such as `bridge` or `bridge-2`, or None if there is none."""
    code, _, number = name.rpartition("-")
    if name in DRAWINGS:
        return picture_markup(name, 1, alt)
    if code in DRAWINGS and number.isdecimal() and 1 <= int(number) <= len(DRAWINGS[code].frames):
        return picture_markup(code, int(number), alt)
    return None


def style_policy(svg: str) -> str:
    """Return the Content-Security-Policy of a lone picture: its own style sheet, by its hash, and nothing else."""
    sheet = re.search(r"<style>(.*?)</style>", svg, re.DOTALL)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
