"""The glossary, read from its file."""

import functools
import tomllib
from pathlib import Path

from django.urls import reverse

from education.text.rendering import GlossaryTerm

GLOSSARY_FILE = Path(__file__).resolve().parent.parent / "content" / "glossary.toml"


@functools.cache
def read_glossary() -> dict[str, GlossaryTerm]:
    """Return all terms by the ID that articles use, in the order of the file."""
    page = reverse("education:glossary")
    entries = tomllib.loads(GLOSSARY_FILE.read_text())
    return {id: GlossaryTerm(entry["name"], entry["meaning"], f"{page}#{id}") for id, entry in entries.items()}
