"""Photos and drawings that staff upload: read with suspicion, made anew from their pixels alone, kept in a few widths."""

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
MOST_PIXELS = 50_000_000  # a good telephone's camera; some 150 MB while it is being read
LEAST_SIDE, LONGEST_RATIO = 300, 4  # what is smaller looks blurred on a page, what is longer is a strip
QUALITY = 78


class PictureRefused(Exception):
    """The file cannot become a picture of a page; the message tells the user why."""


def open_picture(file: bytes) -> Image.Image:
    """The pixels in `file`, upright, in sRGB, on white, and nothing else of it. Raises PictureRefused."""
    if len(file) > LARGEST_FILE:
        raise PictureRefused(f"The file may have {LARGEST_FILE // 1024 // 1024} MB at most.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file), formats=FORMATS) as image:
                _refuse_unfit(image)
                image.draft("RGB", (WIDTHS[-1], WIDTHS[-1]))  # a JPEG may be read smaller than it is
                return _keep_pixels(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRefused("The picture has too many pixels.") from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        raise PictureRefused("This is not a whole JPEG, PNG or WebP picture.") from None


def _refuse_unfit(image: Image.Image) -> None:
    """By what the head of the file says, before anything is unpacked."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PictureRefused("The picture has too many pixels.")
    if getattr(image, "n_frames", 1) > 1:
        raise PictureRefused("A picture that moves disturbs reading. Please choose a still one.")
    if min(width, height) < LEAST_SIDE:
        raise PictureRefused(f"The picture must have {LEAST_SIDE} pixels each way at least, or it looks blurred.")
    if min(width, height) * LONGEST_RATIO < max(width, height):
        raise PictureRefused("The picture is too long and narrow for a page.")


def _keep_pixels(image: Image.Image) -> Image.Image:
    """A new image with the pixels of `image`: no location, time, camera or comments."""
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
        return image  # a broken profile costs a shade, not the picture


@transaction.atomic
def store_picture(image: Image.Image, *, description: str, by: User, now: datetime) -> Picture:
    """Keep what `open_picture` has read, in every width that pages ask for."""
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
    """The articles whose present text shows `picture`."""
    words = f"picture:{picture.name}"
    return Article.objects.filter(Q(body__contains=words) | Q(care__contains=words))
