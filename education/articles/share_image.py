"""Open Graph image of an article: its title and topic, and the clinic's name, over hills, as PNG. Pure."""

import io
from pathlib import Path

import font_source_serif_pro as fonts
from PIL import Image, ImageDraw, ImageFont

SIZE = WIDTH, HEIGHT = 1200, 630  # pixels; social networks show this ratio uncropped
GROUND = Path(__file__).resolve().parent.parent / "share_ground.png"  # the background: paper, logo and hills
INK, PINE = "#17211e", "#1d5c4b"  # as in clinic.css
LEFT, TOPIC_LEFT, TITLE_TOP, TITLE_BOTTOM = 80, 225, 222, 400
TITLE_SIZES = (76, 64, 54, 46, 38)  # the largest that fits is used
LINE_HEIGHT = 1.15
COLORS = 64  # enough for flat areas and smooth text


def draw_share_image(*, title: str, topic: str, clinic_name: str) -> bytes:
    """Return the image as a PNG of about 20 KB."""
    with Image.open(GROUND) as ground:
        image = ground.convert("RGB")
    draw = ImageDraw.Draw(image)
    font, lines = fit_title(title)
    height = font.size * LINE_HEIGHT
    top = TITLE_TOP + max(TITLE_BOTTOM - TITLE_TOP - height * len(lines), 0) / 2
    for number, line in enumerate(lines):
        draw.text((LEFT, top + number * height), line, font=font, fill=INK, anchor="la")
    for left, middle, text, color in ((TOPIC_LEFT, 140, topic, PINE), (LEFT, 570, clinic_name, INK)):
        draw.text((left, middle), text, font=fit_line(text, WIDTH - left - LEFT), fill=color, anchor="lm")
    out = io.BytesIO()
    image.quantize(COLORS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def fit_title(title: str) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """Return the largest font in which `title` fits, or else the smallest, and the wrapped lines of `title`."""
    for size in TITLE_SIZES:
        font = _font(size)
        lines = wrap_lines(title, font, WIDTH - 2 * LEFT)
        is_low = len(lines) * size * LINE_HEIGHT <= TITLE_BOTTOM - TITLE_TOP
        if is_low and all(font.getlength(line) <= WIDTH - 2 * LEFT for line in lines):
            break
    return font, lines


def wrap_lines(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Wrap `text` into lines of at most `width` pixels; a longer word gets its own line."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def fit_line(text: str, width: float) -> ImageFont.FreeTypeFont:
    """Return the font in which `text` fits on one line of `width` pixels."""
    font = _font(36)
    return font if (length := font.getlength(text)) <= width else _font(int(36 * width / length))


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(fonts.font_files_ttf["SourceSerifProSemibold"], size)
