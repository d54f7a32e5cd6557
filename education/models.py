"""Topics, articles, their revisions and pictures."""

import hashlib
import json
import secrets
import uuid
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Exists, F, Q
from django.urls import reverse

from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_utc
from education.body.body_sites import BODY_SITES
from education.text.picture_markup import list_widths, picture_size
from education.text.prose import count_reading_minutes, plain_prose

REMIND_BEFORE = timedelta(days=30)
CODE_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without look-alikes: 0, o, 1, i, l
CODE_LENGTH = 6
SEARCH_CONFIG = "education_english"  # English without accents; created by a migration

# The fields that a revision stores.
TEXT_FIELDS = ("title", "summary", "who_for", "key_facts", "care", "body", "references")


def make_code() -> str:
    """Return a random public ID. It does not reveal the subject of the article, so a booking link may contain it."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


class Topic(models.Model):
    """A group of articles."""

    name = models.CharField(max_length=80)
    slug = models.SlugField("web address", max_length=60, unique=True, help_text="The last part of /learn/…/.")
    summary = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("education:topic", args=[self.slug])


class ArticleStatus(models.TextChoices):
    DRAFT = "draft", "draft"
    PUBLISHED = "published", "published"


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, *, now: datetime) -> Self:
        """Filter to the public articles at `now`. Unreviewed ones are public only if the clinic shows those."""
        is_held_back = Exists(Clinic.objects.filter(shows_unreviewed_articles=False))
        out = self.filter(status=ArticleStatus.PUBLISHED, published_at__lte=now)
        return out.filter(Q(reviewed_on__isnull=False) | ~is_held_back)

    def awaiting_review(self, *, now: datetime) -> Self:
        """Filter to published articles without a review, whether or not the clinic shows those."""
        return self.filter(status=ArticleStatus.PUBLISHED, published_at__lte=now, reviewed_on=None)

    def due_for_review(self, *, on: date) -> Self:
        """Filter to articles whose next review is due within REMIND_BEFORE of the day `on`, or overdue."""
        return self.filter(next_review_on__lte=on + REMIND_BEFORE)

    def for_minors(self) -> Self:
        """Exclude articles whose `who_for` names adults."""
        return self.exclude(who_for__iregex=r"\madults?\M")

    def for_lists(self) -> Self:
        """Put articles in reading order, and defer the long texts."""
        return (
            self.select_related("topic")
            .defer("body", "care", "key_facts", "references", "prose", "search", "proposal")
            .order_by("topic__position", "topic__name", "position", "title")
        )


class Article(models.Model):
    """An article in Markdown (with the additions of `education.text.syntax`).

    `care`, the first section of the page, tells readers when to get help. A bundled article has a `source_file`, and
    `source_checksum` lets the loader detect whether staff have edited the article since. `proposal` is the text of a
    newer file until staff accept or decline it. `proposal_checksum` is that of the last proposal, which is not proposed
    again. `prose` is the key facts and the body as plain text, which search uses beside title and summary.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=make_code, editable=False)
    slug = models.SlugField(
        "web address", max_length=80, unique=True, help_text="The last part of /learn/…/. The old address redirects."
    )
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="articles")
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Its number in the topic. Lists show the lowest first."
    )
    place = models.CharField(
        "body site",
        max_length=20,
        blank=True,
        choices=[(code, site.name) for code, site in BODY_SITES.items()],
        help_text="Preselected when a patient who books from this article is asked where it hurts.",
    )

    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=200, help_text="1 or 2 sentences for lists and search engines.")
    who_for = models.CharField("who it is for", max_length=200, blank=True)
    key_facts = models.JSONField(default=list, blank=True)
    care = models.TextField("when to get help", blank=True, help_text="Markdown. The first section of the page.")
    body = models.TextField(help_text="Markdown.")
    references = models.JSONField(default=list, blank=True)
    reading_minutes = models.PositiveSmallIntegerField(default=1, editable=False)

    author = models.ForeignKey(
        "practice.Therapist", on_delete=models.PROTECT, null=True, blank=True, related_name="articles_written"
    )
    reviewed_by = models.ForeignKey(
        "practice.Therapist", on_delete=models.PROTECT, null=True, blank=True, related_name="articles_reviewed"
    )
    reviewed_on = models.DateField(null=True, blank=True)
    next_review_on = models.DateField(null=True, blank=True)

    status = models.CharField(max_length=10, choices=ArticleStatus.choices, default=ArticleStatus.DRAFT)
    published_at = models.DateTimeField(
        null=True, blank=True, help_text="If this is in the future, the article appears then."
    )
    created_at = models.DateTimeField("added", editable=False)
    updated_at = models.DateTimeField(editable=False)
    source_file = models.CharField(max_length=120, blank=True, editable=False)
    source_checksum = models.CharField(max_length=64, blank=True, editable=False)
    proposal = models.JSONField(null=True, blank=True, editable=False)
    proposal_checksum = models.CharField(max_length=64, blank=True, editable=False)

    prose = models.TextField(blank=True, editable=False)
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config=SEARCH_CONFIG)
        + SearchVector("summary", weight="B", config=SEARCH_CONFIG)
        + SearchVector("prose", weight="D", config=SEARCH_CONFIG),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["topic", "position", "title"]
        indexes = [
            models.Index(fields=["status", "published_at"], name="article_published"),
            GinIndex(fields=["search"], name="article_search"),
        ]
        constraints = [
            models.CheckConstraint(name="article_status_is_known", condition=Q(status__in=ArticleStatus.values)),
            models.CheckConstraint(name="article_place_is_known", condition=Q(place__in=["", *BODY_SITES])),
            models.CheckConstraint(
                name="article_published_since_some_instant",
                condition=Q(status=ArticleStatus.DRAFT) | Q(published_at__isnull=False),
            ),
            models.CheckConstraint(
                name="article_published_says_when_to_get_help",
                condition=Q(status=ArticleStatus.DRAFT) | (~Q(care="") & ~Q(summary="")),
            ),
            models.CheckConstraint(
                name="article_review_has_a_reviewer_and_a_day",
                condition=Q(reviewed_by__isnull=True, reviewed_on__isnull=True)
                | Q(reviewed_by__isnull=False, reviewed_on__isnull=False),
            ),
            models.CheckConstraint(
                name="article_next_review_follows_a_review",
                condition=Q(next_review_on__isnull=True)
                | Q(reviewed_on__isnull=False, next_review_on__gt=F("reviewed_on")),
            ),
            models.CheckConstraint(
                name="article_code_is_opaque", condition=Q(code__regex=rf"^[{CODE_ALPHABET}]{{{CODE_LENGTH}}}$")
            ),
            models.CheckConstraint(
                name="article_from_a_file_knows_its_checksum",
                condition=Q(source_file="", source_checksum="") | (~Q(source_file="") & ~Q(source_checksum="")),
            ),
            models.UniqueConstraint(
                fields=["source_file"], condition=~Q(source_file=""), name="article_file_is_loaded_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.reading_minutes = count_reading_minutes(self.body)
        self.prose = "\n".join([*self.key_facts, plain_prose(self.body)])
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("education:article", args=[self.slug])

    def is_out(self, *, now: datetime) -> bool:
        """Whether the article is published at `now`, even if the clinic hides it because it is not reviewed."""
        return self.status == ArticleStatus.PUBLISHED and self.published_at is not None and self.published_at <= now

    def is_public(self, *, now: datetime, clinic: Clinic) -> bool:
        """Whether the article is public at `now`, by the rule of `ArticleQuerySet.published`."""
        return self.is_out(now=now) and (self.reviewed_on is not None or clinic.shows_unreviewed_articles)

    @property
    def text(self) -> dict[str, Any]:
        """The values of TEXT_FIELDS by name."""
        return {name: getattr(self, name) for name in TEXT_FIELDS}

    @property
    def text_checksum(self) -> str:
        """The checksum of the current text."""
        return checksum_text(self.text)

    @property
    def is_edited_by_staff(self) -> bool:
        """Whether the text differs from the file it was loaded from."""
        return bool(self.source_file) and self.text_checksum != self.source_checksum


class Revision(models.Model):
    """The text of an article from `saved_at` until the next revision. Append-only."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="revisions")
    text = models.JSONField()
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="article_revisions"
    )
    note = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-saved_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.article_id} at {format_utc(self.saved_at)}"


class FormerSlug(models.Model):
    """A former slug of an article, which redirects to the article."""

    slug = models.SlugField(max_length=80, unique=True)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="former_slugs")

    def __str__(self) -> str:
        return self.slug


class Picture(models.Model):
    """A picture that staff uploaded. Its name ends in its width and height in pixels. Its pixels never change."""

    name = models.CharField(max_length=20, unique=True, editable=False)
    description = models.CharField(
        max_length=250, help_text="Alternative text: say what the picture shows in one sentence. Do not name a patient."
    )
    uploaded_at = models.DateTimeField(editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="pictures", editable=False
    )

    class Meta:
        ordering = ["-uploaded_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="picture_name_says_its_size",
                condition=Q(name__regex=rf"^[{CODE_ALPHABET}]{{8}}-[1-9][0-9]{{2,3}}x[1-9][0-9]{{1,3}}$"),
            ),
            models.CheckConstraint(name="picture_is_described", condition=~Q(description="")),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def least_width(self) -> int:
        """The narrowest stored width, in pixels."""
        size = picture_size(self.name)
        assert size is not None  # the constraint picture_name_says_its_size
        return list_widths(size[0])[0]

    @property
    def markdown(self) -> str:
        """The Markdown that shows the picture."""
        alt = self.description.translate(str.maketrans("[]", "()", "\\`*_"))
        return f"![{alt}](picture:{self.name})"


class PictureSize(models.Model):
    """A picture in one width, as WebP. It is in the database, so that backups and all web processes have it."""

    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="sizes")
    width = models.PositiveSmallIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["picture", "width"], name="picture_has_a_width_once")]

    def __str__(self) -> str:
        return f"{self.picture_id} at {self.width}"


def checksum_text(fields: dict[str, Any]) -> str:
    """Return the SHA-256 of an article's TEXT_FIELDS as 64 hexadecimal digits. CR LF counts as LF."""
    text = json.dumps({name: fields[name] for name in TEXT_FIELDS}, sort_keys=True)
    return hashlib.sha256(text.replace("\\r\\n", "\\n").encode()).hexdigest()
