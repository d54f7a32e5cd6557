"""Bootstrap's reboot and the site's style sheet as one static file, to save a round trip on slow phones.

`clinic.css` imports the reboot, and also works alone. This module replaces the import by the imported sheet.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage

NAME = "css/site.css"
SHEET = "css/clinic.css"
_IMPORT = re.compile(r'^@import url\("\.\./([^"]+)"\) layer\((\w+)\);$', re.MULTILINE)
_SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/")


class JoinedSheetFinder(BaseFinder):
    """Find `css/site.css`, rebuilt when one of its parts is newer."""

    storage = FileSystemStorage(location=settings.BASE_DIR / "var" / "joined")

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    def find(self, path: str, find_all: bool = False) -> Any:  # [] if not found, as in Django; the stubs say None
        if path != NAME:
            return []
        joined = self._write()
        return [str(joined)] if find_all else str(joined)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        self._write()
        yield NAME, self.storage

    def _write(self) -> Path:
        joined, sheet = Path(self.storage.path(NAME)), _find(SHEET)
        text = sheet.read_text()
        parts = [sheet, *(_find(name) for name, _ in _IMPORT.findall(text))]
        if not joined.exists() or joined.stat().st_mtime < max(part.stat().st_mtime for part in parts):
            joined.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=joined.parent, delete=False) as unfinished:
                unfinished.write(join_imports(text))
            Path(unfinished.name).replace(joined)
        return joined


def _find(name: str) -> Path:
    found = finders.find(name)
    if found is None:
        raise FileNotFoundError(name)
    return Path(found)


def join_imports(text: str) -> str:
    """Return `text` with each @import replaced by the imported sheet in its layer."""

    def put_in_place(match: re.Match[str]) -> str:
        imported = _SOURCE_MAP.sub("", _find(match[1]).read_text())
        return f"@layer {match[2]} {{\n{imported.strip()}\n}}"

    return _IMPORT.sub(put_in_place, text)
