"""Public articles: lists, rendering, and loading the bundled article files."""

import functools
import hashlib
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, Value
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import reverse

from clinic.practice.models import Clinic
from education.articles.editing import propose_text
from education.articles.glossary import GLOSSARY_FILE, read_glossary
from education.articles.share_image import draw_share_image
from education.drawing import exercises
from education.exercises.drawn import picture_named
from education.models import Article, ArticleQuerySet, ArticleStatus, Topic, checksum_text
from education.text import rendering
from education.text.article_file import ArticleFile, read_article_file
from education.text.picture_markup import write_picture

CONTENT_DIR = Path(__file__).resolve().parent.parent / "content"
KEEP_RENDERED_S = 24 * 60 * 60


def published(*, now: datetime) -> ArticleQuerySet:
    """Return the public articles at `now`, in reading order, with the long texts deferred."""
    return Article.objects.published(now=now).for_lists()


def find_neighbors(article: Article, *, now: datetime) -> dict[str, Any]:
    """Return the public articles to link from `article`. One query.

    "before" and "after" are the neighbors in the same topic, or None. "elsewhere" are up to three articles at position
    1 of other topics.
    """
    is_earlier = Q(position__lt=article.position) | Q(position=article.position, title__lt=article.title)
    others = published(now=now).exclude(pk=article.pk)
    series = others.filter(topic=article.topic_id)
    before = series.filter(is_earlier).order_by("-position", "-title").annotate(relation=Value("before"))[:1]
    after = series.exclude(is_earlier).order_by("position", "title").annotate(relation=Value("after"))[:1]
    openings = others.exclude(topic=article.topic_id).filter(position=1).annotate(relation=Value("elsewhere"))
    found = list(before.union(after, openings.order_by("topic__position")[:3], all=True))
    by_relation = {
        name: [other for other in found if other.relation == name] for name in ("before", "after", "elsewhere")
    }
    return {
        "before": next(iter(by_relation["before"]), None),
        "after": next(iter(by_relation["after"]), None),
        "elsewhere": by_relation["elsewhere"],
    }


# The page ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """An entry in the list of references. `label` is the link text of `url`. `is_cited`: whether the page cites it."""

    id: str
    text: str
    url: str
    label: str
    is_cited: bool


@dataclass(frozen=True)
class Page:
    """A rendered article. Both HTML texts are safe, as `rendering` returns them."""

    care_html: str
    body_html: str
    contents: tuple[rendering.Heading, ...]
    sources: tuple[Source, ...]
    faults: tuple[str, ...]


def render_article(article: Article, *, emergency_number: str) -> Page:
    """Render `article`. Cached by its text, the emergency number and the version of the renderer."""
    key = f"article:{rendering_version()}:{emergency_number}:{article.text_checksum}"
    page = cache.get(key)
    if page is None:
        page = render_fresh(article, emergency_number=emergency_number)
        cache.set(key, page, KEEP_RENDERED_S)
    return page


def render_fresh(article: Article, *, emergency_number: str = "911") -> Page:
    """Render `article` without the cache. Raises ValueError if `care` or `body` is longer than LONGEST_TEXT."""
    known = [reference["id"] for reference in article.references]
    render = functools.partial(
        rendering.render_markdown,
        references=known,
        emergency_number=emergency_number,
        draw_figure=draw_figure,
        write_picture=functools.partial(write_picture, url=picture_url),
        terms=read_glossary(),
    )
    care = render(article.care)
    body = render(article.body, cited=[citation.id for citation in care.citations], explained=care.explained)
    return Page(
        care_html=care.html,
        body_html=body.html,
        contents=body.contents,
        sources=_order_sources(article.references, [citation.id for citation in body.citations]),
        faults=care.faults + body.faults,
    )


def draw_figure(name: str, alt: str) -> str | None:
    """Return the drawing `name` as an image or as inline SVG, with `alt` for screen readers; None if unknown."""
    if picture := picture_named(name, alt):
        return picture
    if not name.replace("-", "").isalnum():
        return None
    try:
        return render_to_string(f"education/figures/{name}.svg", {"alt": alt}).strip()
    except TemplateDoesNotExist:
        return None


def picture_url(name: str, width: int) -> str:
    """Return the URL of the picture `name` at `width` pixels."""
    return reverse("picture", args=[name, width])


def draw_article_share_image(article: Article, *, clinic: Clinic) -> bytes:
    """Return the Open Graph image of `article`, cached by the texts on it."""
    texts = {"title": article.title, "topic": article.topic.name, "clinic_name": clinic.name}
    key = f"share:{hashlib.sha256(repr(texts).encode()).hexdigest()}"
    image: bytes | None = cache.get(key)
    if image is None:
        image = draw_share_image(**texts)
        cache.set(key, image, KEEP_RENDERED_S)
    return image


def locate_reference(reference: dict[str, str]) -> tuple[str, str]:
    """Return the URL and link text of a reference: its DOI, else its URL and host, else empty strings."""
    if doi := reference.get("doi"):
        return f"https://doi.org/{doi}", f"doi:{doi}"
    url = reference.get("url", "")
    return url, urlsplit(url).netloc.removeprefix("www.")


def _order_sources(references: list[dict[str, str]], cited: list[str]) -> tuple[Source, ...]:
    """Return the references in the order of `cited`, followed by uncited ones."""
    position = {id: number for number, id in enumerate(cited)}
    ordered = sorted(references, key=lambda reference: position.get(reference["id"], len(position)))
    return tuple(Source(ref["id"], ref["text"], *locate_reference(ref), ref["id"] in position) for ref in ordered)


@functools.cache
def rendering_version() -> str:
    """Return a digest of the renderer, the glossary and the drawings.

    It is part of the cache key, so that an update invalidates cached pages.
    """
    sources = (*sorted(Path(rendering.__file__).parent.glob("*.py")), GLOSSARY_FILE)
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    figures = (settings.BASE_DIR / "templates" / "education" / "figures").glob("*.svg")
    for drawing in sorted([*figures, *Path(exercises.__file__).parent.glob("*.py")]):
        digest.update(drawing.name.encode() + drawing.read_bytes())
    return digest.hexdigest()[:12]


# The files ---------------------------------------------------------------------------------------------------------------


def load_articles(*, now: datetime, folder: Path = CONTENT_DIR) -> Counter[str]:
    """Load the article files in `folder`, and return counts of "created", "updated", "unchanged" and "kept".

    New articles are published. An article that staff edited or reviewed is kept, and the new text becomes a proposal.
    Only the text of an existing article is updated, never its status. Missing topics are created. Raises
    ArticleFileInvalid, or KeyError for a new article in an unknown topic; then nothing is written.
    """
    files = {path.name: read_article_file(path.name, path.read_text()) for path in sorted(folder.glob("*.md"))}
    with transaction.atomic():
        topics = _load_topics(folder / "topics.toml")
        shipped = Article.objects.select_for_update().exclude(source_file="")
        present = {article.source_file: article for article in shipped}
        return Counter(_load_article(present.get(name), name, file, topics, now=now) for name, file in files.items())


def _load_topics(path: Path) -> dict[str, Topic]:
    """Create missing topics, and return all topics by slug. Existing ones are not updated."""
    for position, (slug, fields) in enumerate(tomllib.loads(path.read_text()).items(), 1):
        Topic.objects.get_or_create(slug=slug, defaults={**fields, "position": position})
    return {topic.slug: topic for topic in Topic.objects.all()}


def _load_article(
    article: Article | None, name: str, file: ArticleFile, topics: dict[str, Topic], *, now: datetime
) -> str:
    checksum = checksum_text(file.text)
    if article is None:
        Article.objects.create(
            slug=file.slug,
            topic=topics[file.topic],
            position=file.position,
            place=file.place,
            status=ArticleStatus.PUBLISHED,
            published_at=now,
            created_at=now,
            updated_at=now,
            source_file=name,
            source_checksum=checksum,
            **file.text,
        )
        return "created"
    if article.source_checksum == checksum:
        return "unchanged"
    if article.is_edited_by_staff or article.reviewed_on:
        propose_text(article, file.text)
        return "kept"
    for field, value in file.text.items():
        setattr(article, field, value)
    article.source_checksum, article.updated_at = checksum, now
    article.save()
    return "updated"
