"""Editing articles: revisions, redirects from former slugs, and proposals from updates."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from django.db import transaction

from clinic.practice.models import User
from clinic.practice.values.dates import format_utc
from education.models import TEXT_FIELDS, Article, FormerSlug, Revision, checksum_text
from education.text.differences import Piece, compare_texts

OTHER_FIELDS = (
    *("topic_id", "position", "slug", "place", "author_id", "reviewed_by_id", "reviewed_on", "next_review_on"),
    *("status", "published_at"),
)


class NothingProposed(Exception):
    """The article has no proposal: it was accepted or declined already."""


@transaction.atomic
def save_article(article: Article, *, by: User, now: datetime, note: str = "") -> Article:
    """Save `article`. If it is new or its text changed, add a revision; if its slug changed, redirect the old one.

    If the stored article has no revision, its text is saved as the first one.
    """
    before = Article.objects.select_for_update().filter(pk=article.pk).first()
    if before:
        _save_first_revision(before)
        _keep_former_slug(before, article)
    FormerSlug.objects.filter(slug=article.slug).delete()  # a current slug takes precedence over a former one
    article.created_at = article.created_at or now
    article.updated_at = now
    article.save()
    if before is None or before.text_checksum != article.text_checksum:
        Revision.objects.create(article=article, text=article.text, saved_at=now, saved_by=by, note=note)
    return article


def restore_revision(revision: Revision, *, by: User, now: datetime) -> Article:
    """Restore the text of `revision`, as a new revision. The status is unchanged."""
    article = Article.objects.get(pk=revision.article_id)
    _set_text(article, revision.text)
    return save_article(article, by=by, now=now, note=f"as on {format_utc(revision.saved_at)}")


@transaction.atomic
def accept_proposal(article: Article, *, by: User, now: datetime) -> Article:
    """Replace the text with the proposed one. Raises NothingProposed."""
    article, text = _lock_proposal(article)
    _set_text(article, text)
    article.source_checksum, article.proposal = article.proposal_checksum, None
    return save_article(article, by=by, now=now, note="from an update")


@transaction.atomic
def decline_proposal(article: Article) -> Article:
    """Delete the proposal; the same text is not proposed again. Raises NothingProposed."""
    article, _ = _lock_proposal(article)
    article.proposal = None
    article.save(update_fields=["proposal"])
    return article


def propose_text(article: Article, text: dict[str, Any]) -> None:
    """Store `text` as a proposal for staff, unless it equals the last proposal."""
    checksum = checksum_text(text)
    if article.proposal_checksum != checksum:
        article.proposal, article.proposal_checksum = text, checksum
        article.save(update_fields=["proposal", "proposal_checksum"])


def count_waiting(*, on: date, now: datetime) -> dict[str, int]:
    """Return counts of the articles that need staff on the day `on`.

    "first_reviews" are published and were never reviewed, "reviews" are due again within REMIND_BEFORE or overdue,
    "updates" have a proposal.
    """
    return {
        "first_reviews": Article.objects.awaiting_review(now=now).count(),
        "reviews": Article.objects.due_for_review(on=on).count(),
        "updates": Article.objects.filter(proposal__isnull=False).count(),
    }


def _lock_proposal(article: Article) -> tuple[Article, dict[str, Any]]:
    locked = Article.objects.select_for_update().get(pk=article.pk)
    if locked.proposal is None:
        raise NothingProposed
    return locked, locked.proposal


def _set_text(article: Article, text: dict[str, Any]) -> None:
    for field in TEXT_FIELDS:
        setattr(article, field, text[field])


def _save_first_revision(before: Article) -> None:
    """Save the stored text as the first revision. An article loaded from a file has none until its first edit."""
    if not before.revisions.exists():
        Revision.objects.create(article=before, text=before.text, saved_at=before.updated_at, saved_by=None)


def _keep_former_slug(before: Article, article: Article) -> None:
    if before.slug != article.slug:
        FormerSlug.objects.update_or_create(slug=before.slug, defaults={"article": before})


# Reading revisions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RevisionChanges:
    """A revision, and its changes since the previous one as (field, changed lines)."""

    revision: Revision
    changes: list[tuple[str, list[list[Piece]]]]
    is_current: bool


@dataclass(frozen=True)
class ConcurrentEdit:
    """A concurrent edit: by whom, the differences between the texts, and the other fields that differ."""

    by: str
    at: datetime
    changes: list[tuple[str, list[list[Piece]]]]  # from the stored text to the typed one
    others: list[str]  # the labels of the other fields that differ


def compare_with_stored(stored: Article, typed: dict[str, Any]) -> ConcurrentEdit:
    """Return how `typed`, an article's fields by name, differs from the stored article."""
    texts = {name: typed.get(name, value) for name, value in stored.text.items()}
    others = [name for name, value in typed.items() if name not in TEXT_FIELDS and getattr(stored, name) != value]
    last = stored.revisions.select_related("saved_by").first()
    by = last.saved_by.name if last and last.saved_by and last.saved_at == stored.updated_at else "Someone"
    fields = {field.name: field for field in Article._meta.fields}
    labels = [str(fields[name].verbose_name) for name in others]
    return ConcurrentEdit(by, stored.updated_at, describe_changes(stored.text, texts), labels)


def version_of(article: Article) -> str:
    """Return a checksum of all fields that staff can edit, to detect concurrent edits."""
    values = {name: str(getattr(article, name)) for name in (*OTHER_FIELDS, *TEXT_FIELDS)}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def list_revisions(article: Article, *, most: int = 50) -> list[RevisionChanges]:
    """Return the latest `most` revisions of `article`, newest first."""
    revisions = list(article.revisions.select_related("saved_by")[: most + 1])
    pairs = zip_longest(revisions, revisions[1:])
    return [
        RevisionChanges(revision, describe_changes(before.text, revision.text) if before else [], number == 0)
        for number, (revision, before) in enumerate(pairs)
    ][:most]


def describe_changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, list[list[Piece]]]]:
    """Return (field, changed lines) for each text field that differs."""
    pairs = ((field, _as_lines(before[field]), _as_lines(after[field])) for field in TEXT_FIELDS)
    return [(field.replace("_", " "), compare_texts(was, now)) for field, was, now in pairs if was != now]


def _as_lines(value: str | list[str] | list[dict[str, str]]) -> str:
    """Return a field's value as text: one list entry per line, references as in the form."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n")
    return "\n".join(" | ".join(entry.values()) if isinstance(entry, dict) else entry for entry in value)
