"""Bootstrap's reboot and our style sheet as one static file, because each file more is a wait more on a slow phone.

`clinic.css` imports the reboot and is whole by itself; here the import is put in place of its line.
"""

import re
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

NAME = "css/site.css"
SHEET = "css/clinic.css"
_IMPORT = re.compile(r'^@import url\("\.\./([^"]+)"\) layer\((\w+)\);$', re.MULTILINE)
_SOURCE_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/")


class JoinedSheetFinder(BaseFinder):
    """Finds `css/site.css`, made anew whenever one of its parts is younger."""

    storage = FileSystemStorage(location=settings.BASE_DIR / "var" / "joined")

    def check(self, **kwargs):
        return []

    def find(self, path, find_all=False):
        if path != NAME:
            return []
        joined = self._write()
        return [str(joined)] if find_all else str(joined)

    def list(self, ignore_patterns):
        self._write()
        yield NAME, self.storage

    def _write(self) -> Path:
        joined, sheet = Path(self.storage.path(NAME)), Path(finders.find(SHEET))
        text = sheet.read_text()
        parts = [sheet, *(Path(finders.find(name)) for name, _ in _IMPORT.findall(text))]
        if not joined.exists() or joined.stat().st_mtime < max(part.stat().st_mtime for part in parts):
            joined.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=joined.parent, delete=False) as unfinished:
                unfinished.write(join_imports(text))
            Path(unfinished.name).replace(joined)
        return joined


def join_imports(text: str) -> str:
    """`text` with each imported sheet in its layer, in place of the line that asks for it."""

    def put_in_place(match):
        imported = _SOURCE_MAP.sub("", Path(finders.find(match[1])).read_text())
        return f"@layer {match[2]} {{\n{imported.strip()}\n}}"

    return _IMPORT.sub(put_in_place, text)
