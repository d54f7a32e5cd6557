"""The contact sheet of all drawings, in light and in dark, made by a browser."""

import base64
import os
from pathlib import Path

import pytest

from education.drawing.exercises.catalog import DRAWINGS
from education.drawing.pictures import Stage

pytestmark = [pytest.mark.long]

SHEET = """<meta name="color-scheme" content="light dark"><style>
:root {{ color-scheme: light dark; }}
body {{ margin: 24px; display: grid; grid-template-columns: repeat(6, 1fr); gap: 20px 16px; font: 12px/1.35 system-ui, sans-serif;
  background: light-dark(#fbfaf7, #0f1614); color: light-dark(#17211e, #e9efec); }}
figure {{ margin: 0; }} img {{ display: block; width: 100%; height: 190px; object-fit: contain; }} b {{ display: block; }}
</style>{figures}"""
FIGURE = (
    '<figure><img src="data:image/svg+xml;base64,{data}" alt=""><figcaption><b>{name}</b>{words}</figcaption></figure>'
)


def test_contact_sheet_can_be_made(browser, tmp_path):
    """The sheets are written to `$CONTACT_SHEET` if set, as `make contact-sheet` does."""
    folder = Path(os.environ.get("CONTACT_SHEET", tmp_path))
    figures = []
    for drawing in DRAWINGS.values():
        stage = Stage(drawing)
        for number, frame in enumerate(drawing.frames):
            data = base64.b64encode(stage.svg(number).encode()).decode()
            figures.append(FIGURE.format(data=data, name=drawing.name, words=frame.words))
    sizes = []
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme=scheme)
        page.set_content(SHEET.format(figures="".join(figures)))
        page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth)")
        path = folder / f"drawings-{scheme}.png"
        page.screenshot(path=path, full_page=True)
        sizes.append(path.stat().st_size)
        page.close()
    assert min(sizes) > 100_000
