"""Uploaded pictures: validated, re-encoded from their pixels without metadata, and stored in a few widths."""

import io
import secrets
import warnings
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from PIL import Image, ImageCms, ImageOps

from clinic.practice.models import User
from education.models import CODE_ALPHABET, Article, ArticleQuerySet, Picture, PictureSize
from education.text.picture_markup import WIDTHS, list_widths

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_FILE = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000  # the camera of a good phone; decoding needs about 150 MB of memory
LEAST_SIDE, LONGEST_RATIO = 300, 4  # pixels; ratio of the long side to the short side
QUALITY = 78


class PictureRefused(Exception):
    """The file cannot be used as a picture. The message tells the user why."""


def open_picture(file: bytes) -> Image.Image:
    """Decode `file` to pixels: upright, on white, without metadata, and at most as wide as the largest stored width.

    The colors of an opaque RGB picture are converted to sRGB. Raises PictureRefused.
    """
    if len(file) > LARGEST_FILE:
        raise PictureRefused(f"Choose a file of at most {LARGEST_FILE // 1024 // 1024} MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=FORMATS) as image:
                _refuse_unfit(image)
                image.draft("RGB", (WIDTHS[-1], WIDTHS[-1]))  # decodes a large JPEG at a smaller size
                return _keep_pixels(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRefused("The picture has too many pixels.") from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        raise PictureRefused("The file is damaged, or it is not a JPEG, PNG or WebP picture.") from None


def _refuse_unfit(image: Image.Image) -> None:
    """Check the file's header before anything is decoded. Raises PictureRefused."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PictureRefused("The picture has too many pixels.")
    if getattr(image, "n_frames", 1) > 1:
        raise PictureRefused("Choose a picture that does not move. Animations distract readers.")
    if min(width, height) < LEAST_SIDE:
        raise PictureRefused(
            f"Choose a larger picture: at least {LEAST_SIDE} pixels wide and {LEAST_SIDE} pixels high."
        )
    if min(width, height) * LONGEST_RATIO < max(width, height):
        raise PictureRefused("The picture is too long and narrow for a page.")


def _keep_pixels(image: Image.Image) -> Image.Image:
    """Return `image` as a new, upright RGB image on white, without its metadata (location, time, camera, comments)."""
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif profile and image.mode == "RGB":
        image = _to_srgb(image, profile)
    clean = Image.new("RGB", image.size)
    clean.paste(image.convert("RGB"))
    clean.thumbnail((WIDTHS[-1], WIDTHS[-1] * LONGEST_RATIO), Image.Resampling.LANCZOS)
    return clean


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError):
        return image  # the profile is broken; without it the colors are slightly off


@transaction.atomic
def store_picture(image: Image.Image, *, description: str, by: User, now: datetime) -> Picture:
    """Store an image from `open_picture` in every width of `list_widths`."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(8))
    picture = Picture.objects.create(
        name=f"{code}-{image.width}x{image.height}", description=description, uploaded_at=now, uploaded_by=by
    )
    PictureSize.objects.bulk_create(
        PictureSize(picture=picture, width=width, content=_encode(image, width)) for width in list_widths(image.width)
    )
    return picture


def _encode(image: Image.Image, width: int) -> bytes:
    sized = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    sized.save(out, "WEBP", quality=QUALITY, method=6)
    return out.getvalue()


def articles_with(picture: Picture) -> ArticleQuerySet:
    """Return the articles whose current text shows `picture`."""
    reference = f"picture:{picture.name}"
    return Article.objects.filter(Q(body__contains=reference) | Q(care__contains=reference))
