"""Article files: TOML front matter between two `+++` lines, then Markdown. Pure."""

import tomllib
from dataclasses import dataclass
from typing import Any

from education.body.body_sites import BODY_SITES

FENCE = "+++"
NEEDED = ("title", "topic", "summary", "who_for", "key_facts", "care", "references")
OPTIONAL = ("position", "slug", "place")


class ArticleFileInvalid(Exception):
    """The file cannot be parsed as an article. The message gives the reason."""


@dataclass(frozen=True)
class ArticleFile:
    """A parsed article file. `text` has the TEXT_FIELDS of the article."""

    slug: str
    topic: str
    position: int
    place: str
    text: dict[str, Any]


def read_article_file(name: str, content: str) -> ArticleFile:
    """Parse `content`. The slug is the one in the front matter, or else the file's `name` without its suffix.

    Raises ArticleFileInvalid.
    """
    start, head, body = _split(name, content)
    if start.strip():
        raise ArticleFileInvalid(f"{name} must begin with a line of {FENCE}.")
    try:
        fields = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise ArticleFileInvalid(f"{name}: the front matter is not TOML: {error}") from None
    missing = [key for key in NEEDED if key not in fields]
    unknown = sorted(set(fields) - {*NEEDED, *OPTIONAL})
    if missing:
        raise ArticleFileInvalid(f"{name}: fields are missing: {', '.join(missing)}.")
    if unknown:
        raise ArticleFileInvalid(f"{name}: unknown fields: {', '.join(unknown)}.")
    if (place := fields.get("place", "")) and place not in BODY_SITES:
        raise ArticleFileInvalid(f"{name}: no body site is called “{place}”.")
    texts = {key: fields[key].strip() for key in ("title", "summary", "who_for", "care")}
    text = {**texts, "key_facts": fields["key_facts"], "references": fields["references"], "body": body.strip()}
    slug = fields.get("slug", name.rpartition("/")[2].removesuffix(".md"))
    return ArticleFile(slug, fields["topic"], fields.get("position", 0), place, text)


def _split(name: str, content: str) -> list[str]:
    parts = content.replace("\r\n", "\n").split(f"{FENCE}\n", 2)
    if len(parts) != 3:
        raise ArticleFileInvalid(f"{name} needs a head between two lines of {FENCE}.")
    return parts
