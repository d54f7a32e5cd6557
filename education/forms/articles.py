"""The form in which staff edit an article."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.fields.text_areas import TextArea
from clinic.practice.values.dates import format_day_and_time
from education.articles.editing import ConcurrentEdit, compare_with_stored, version_of
from education.articles.publishing import find_broken_links, find_faults
from education.forms.pictures import PictureFileField
from education.models import TEXT_FIELDS, Article, ArticleStatus
from education.text.rendering import LONGEST_TEXT

# Slugs of other pages under /learn/, which no article may have.
RESERVED_SLUGS = {"search", "feed", "glossary", "load-check", "pain-guide", "where-does-it-hurt", "topics"}
_REFERENCE_ID = re.compile(r"[\w-]{1,60}", re.ASCII)
_DOI = re.compile(r"10\.\d{4,9}/\S+")


class LinesField(forms.CharField):
    """A list of sentences, one per line. Cleans to a list."""

    widget = TextArea(attrs={"rows": 6, "cols": 90})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # cleans to lines, not to text
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]


class ReferencesField(forms.CharField):
    """References, one per line: `id | text | DOI or https URL`. Cleans to a list of dicts.

    The third part is optional. Articles cite a reference as [@id].
    """

    widget = TextArea(attrs={"rows": 10, "cols": 90})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(" | ".join((ref["id"], ref["text"], ref.get("doi") or ref.get("url", ""))) for ref in value)

    def to_python(self, value: Any) -> list[dict[str, str]]:  # type: ignore[override]  # cleans to references, not to text
        references = [read_reference(line) for line in (super().to_python(value) or "").splitlines() if line.strip()]
        ids = [reference["id"] for reference in references]
        if twice := {id for id in ids if ids.count(id) > 1}:
            raise ValidationError("Use each id only once: %(ids)s", params={"ids": ", ".join(sorted(twice))})
        return references


def read_reference(line: str) -> dict[str, str]:
    """Parse a line of a ReferencesField. Raises ValidationError."""
    id, text, place = ([part.strip() for part in line.split("|")] + ["", ""])[:3]
    if not _REFERENCE_ID.fullmatch(id) or not text:
        raise ValidationError("Write an id, a bar and the source’s text instead of “%(line)s”.", params={"line": line})
    place = place.removeprefix("https://doi.org/")
    if not place:
        return {"id": id, "text": text}
    if _DOI.fullmatch(place):
        return {"id": id, "text": text, "doi": place}
    if place.startswith("https://"):
        return {"id": id, "text": text, "url": place}
    raise ValidationError("Write a DOI (10.…) or an https address instead of “%(place)s”.", params={"place": place})


UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # replaces undecodable bytes, such as half of a surrogate pair


class ArticleForm(forms.ModelForm):
    """The form of an article. Only a published article must pass `find_faults` and `find_broken_links`.

    The form is rejected once if the article was changed since the form was opened (`seen`), and `concurrent_edit` is
    the difference. A future date that would unpublish the article is rejected too (`off_until`), unless `takes_off` is
    checked. Cleaning locks the article, so it requires a transaction.
    """

    concurrent_edit: ConcurrentEdit | None = None
    off_until: datetime | None = None

    key_facts = LinesField(required=False, help_text="One per line.")
    references = ReferencesField(
        required=False, help_text="One per line: id | authors, title, journal | DOI. Cite it in the text as [@id]."
    )

    new_picture = PictureFileField(required=False)
    new_picture_shows = forms.CharField(
        label="What it shows", required=False, max_length=250, widget=TextArea(attrs={"rows": 2, "cols": 90})
    )

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    takes_off = forms.BooleanField(label="Hide it until then", required=False)

    class Meta:
        model = Article
        fields = (
            *("topic", "position", "slug", "place"),
            *TEXT_FIELDS,
            *("author", "reviewed_by", "reviewed_on", "next_review_on", "status", "published_at"),
        )
        widgets = {
            "care": TextArea(attrs={"rows": 14, "cols": 90}),
            "body": TextArea(attrs={"rows": 40, "cols": 90}),
            "who_for": TextArea(attrs={"rows": 2, "cols": 90}),
            "summary": TextArea(attrs={"rows": 2, "cols": 90}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["seen"].initial = self.initial["seen"] = version_of(self.instance)

    def clean_slug(self) -> str:
        if self.cleaned_data["slug"] in RESERVED_SLUGS:
            raise ValidationError("Choose another web address. Another page has this one.")
        return self.cleaned_data["slug"]

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        for name in TEXT_FIELDS:
            if UNREADABLE in str(cleaned.get(name, "")):
                self.add_error(name, "Type this again without the unreadable character (�).")
        if bool(cleaned.get("reviewed_by")) != bool(cleaned.get("reviewed_on")):
            self.add_error("reviewed_on", "Enter both the reviewer and the day of the review.")
        if (after := cleaned.get("next_review_on")) and not (
            cleaned.get("reviewed_on") and cleaned["reviewed_on"] < after
        ):
            self.add_error("next_review_on", "Enter a day after the last review.")
        if cleaned.get("new_picture") and not cleaned.get("new_picture_shows"):
            self.add_error("new_picture_shows", "Say what the picture shows, for readers who cannot see it.")
        if cleaned.get("status") == ArticleStatus.PUBLISHED:
            cleaned["published_at"] = cleaned.get("published_at") or timezone.now()
            self._refuse_faults(cleaned)
        if not self.instance._state.adding:
            stored = Article.objects.select_for_update(of=("self",)).get(pk=self.instance.pk)
            self._compare_with(stored, cleaned)
            self._confirm_unpublishing(stored, cleaned, now=timezone.now())
        return cleaned

    def _compare_with(self, stored: Article, cleaned: dict) -> None:
        """Reject the form once if the article was changed since the form was opened. The next submit overwrites it."""
        version = version_of(stored)
        if cleaned.get("seen") == version:
            return
        self.concurrent_edit = compare_with_stored(
            stored, {name: cleaned[name] for name in ArticleForm.Meta.fields if name in cleaned}
        )
        replace_sent(self, "seen", version)
        self.add_error(None, "Not saved yet. This article was changed after you opened it. See the differences below.")

    def _confirm_unpublishing(self, stored: Article, cleaned: dict, *, now: datetime) -> None:
        until = cleaned.get("published_at")
        is_dated_ahead = cleaned.get("status") == ArticleStatus.PUBLISHED and until is not None and until > now
        if stored.is_out(now=now) and is_dated_ahead and not cleaned.get("takes_off"):
            self.off_until = until
            back_on = format_day_and_time(timezone.localtime(until))
            self.add_error(
                "published_at",
                f"Check the box above “Save” to hide this article until {back_on}. It is on the site now.",
            )

    def _refuse_faults(self, cleaned: dict) -> None:
        if any(name in self.errors for name in TEXT_FIELDS):
            return
        if not any(letter.isalnum() for letter in cleaned["body"]):
            self.add_error("body", "Write the text before you publish the article.")
            return
        article = Article(**{name: cleaned[name] for name in TEXT_FIELDS})
        for field, faults in find_faults(article).items():
            self.add_error(field, faults)
        for sentence in find_broken_links(article):
            self.add_error("body", sentence)


def unify_lines(text: str) -> str:
    """Replace the CR LF that browsers send with LF, as in article files."""
    return text.replace("\r\n", "\n")


def read_draft(data: QueryDict) -> Article | None:
    """Return an unsaved article from an unfinished form, for the preview.

    None without a topic or a body, or if the body is longer than LONGEST_TEXT.
    """
    form = ArticleForm(data)
    form.is_valid()
    given = {name: form.cleaned_data.get(name) for name in ArticleForm.Meta.fields}
    typed = {name: value for name, value in given.items() if value not in (None, "")}
    body = unify_lines(data.get("body", ""))
    if "topic" not in typed or not body.strip() or len(body) > LONGEST_TEXT:
        return None
    texts = {name: unify_lines(data.get(name, "")) for name in ("title", "summary", "care")}
    now = timezone.now()
    return Article(**{**typed, **texts, "body": body, "slug": typed.get("slug", "preview"), "updated_at": now})
