"""Picture files as cameras and attackers make them."""

import io

from PIL import Image


def make_file(size=(1200, 800), *, kind="JPEG", mode="RGB", color="#1d5c4b", **options) -> bytes:
    """Return a picture of one color."""
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, kind, **options)
    return out.getvalue()


def make_photo(size=(1200, 800), *, orientation=1) -> bytes:
    """Return a JPEG with a phone's metadata: location, time, camera and orientation."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132] = orientation, "Camera of Ada", "2026:11:01 07:30:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 32.0, 10.0), 3: "W", 4: (71.0, 24.0, 5.0)})
    return make_file(size, exif=exif.tobytes(), comment=b"Ada Kowalczyk, left hip")
