"""Topics and articles in the admin: editing with a preview, publishing, and earlier versions."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget, AdminSplitDateTime
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.csp import CSP
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_POST

from clinic.audit.admin import PrivateSearch
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.fields.typed_times import InForceDayField, StaffSplitMomentField
from clinic.practice.models import Clinic
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from clinic.practice.values.dates import format_date
from education.admin.pictures import thumbnail
from education.articles.editing import (
    NothingProposed,
    accept_proposal,
    decline_proposal,
    describe_changes,
    list_revisions,
    restore_revision,
    save_article,
)
from education.articles.pictures import store_picture
from education.articles.publishing import article_grade, find_broken_links, find_faults
from education.forms.articles import ArticleForm, read_draft
from education.models import REMIND_BEFORE, Article, ArticleQuerySet, Picture, Topic
from education.text.readability import EASIEST_GRADE, HARDEST_GRADE
from education.views.reading import describe_page

REMIND_DAYS = REMIND_BEFORE.days
MARKUP_HELP = (
    "Write Markdown. You can also use: [@id] to cite a source. {strong}, {limited} and {opinion} to show how strong the evidence is. "
    "{emergency} for the emergency number. [word](term:name) to explain a word. "
    '![What it shows](figure:name "Caption") for a drawing. A line “::: emergency Title” begins a card, and a line “:::” ends it. '
    "Other cards are urgent, tell and note."
)
PICTURES_SHOWN = 12
MAY_FRAME = {**settings.SECURE_CSP, "frame-src": [CSP.SELF]}
MAY_BE_FRAMED = {**settings.SECURE_CSP, "frame-ancestors": [CSP.SELF]}


@admin.register(Topic)
class TopicAdmin(RefusesStaleSaves, admin.ModelAdmin):
    list_display = ["name", "position", "summary"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}


class WaitingFilter(admin.SimpleListFilter):
    """Filter by articles that need a review or a decision."""

    title = "waiting for you"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("first-review", "never reviewed"),
            ("review", f"to review within {REMIND_DAYS} days"),
            ("update", "a proposed update"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article]:
        if self.value() == "first-review":
            return queryset.awaiting_review(now=timezone.now())
        if self.value() == "review":
            return queryset.due_for_review(on=timezone.localdate())
        return queryset.filter(proposal__isnull=False) if self.value() == "update" else queryset


@admin.register(Article)
class ArticleAdmin(PrivateSearch, admin.ModelAdmin):
    form = ArticleForm
    formfield_overrides = {
        models.DateField: {"form_class": InForceDayField, "widget": AdminDateWidget},
        models.DateTimeField: {"form_class": StaffSplitMomentField, "widget": AdminSplitDateTime},
    }
    change_form_template = "education/admin_article.html"
    list_display = ["title", "state", "topic", "next_review"]
    list_filter = [WaitingFilter, "status", "topic", "reviewed_by"]
    list_select_related = ["topic"]
    search_fields = ["title", "summary", "body"]
    ordering = ["topic__position", "position"]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = [
        "state",
        "origin",
        "grade",
        "publishing_faults",
        "latest_pictures",
        "code",
        "reading_minutes",
        "updated",
    ]
    fieldsets = [
        (None, {"fields": ["title", "slug", "topic", "position", "place", "state", "status", "published_at"]}),
        ("Before publishing", {"fields": ["grade", "publishing_faults"]}),
        (
            "Text",
            {"description": MARKUP_HELP, "fields": ["summary", "who_for", "key_facts", "care", "body", "references"]},
        ),
        ("Pictures", {"fields": ["new_picture", "new_picture_shows", "latest_pictures"]}),
        ("Author and review", {"fields": ["author", "reviewed_by", "reviewed_on", "next_review_on"]}),
        ("About the page", {"fields": ["origin", "code", "reading_minutes", "updated"]}),
    ]

    updated = moment_column("updated_at", "last saved")

    class Media:
        js = [Script("js/preview.js", defer=True)]

    def get_urls(self) -> list[URLPattern]:
        return [
            path("preview/", self.admin_site.admin_view(self.preview), name="education_article_preview"),
            path("<uuid:pk>/wordings/", self.admin_site.admin_view(self.revisions), name="education_article_revisions"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        rows = cast(ArticleQuerySet, super().get_queryset(request))
        is_list = request.resolver_match and request.resolver_match.url_name == "education_article_changelist"
        return rows.for_lists() if is_list else rows.defer("prose", "search")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_see = self.has_view_permission(request)
        if (
            request.method == "GET"
            and may_see
            and (due := Article.objects.due_for_review(on=timezone.localdate()).count())
        ):
            messages.warning(request, f"Articles to review within {REMIND_DAYS} days, or overdue: {due}.")
        return super().changelist_view(request, extra_context)

    @method_decorator(csp_override(MAY_FRAME))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Article, form: ArticleForm, change: bool) -> None:
        now = timezone.now()
        save_article(obj, by=staff_of(request), now=now)
        if image := form.cleaned_data.get("new_picture"):
            picture = store_picture(
                image, description=form.cleaned_data["new_picture_shows"], by=staff_of(request), now=now
            )
            messages.success(
                request, f"The picture is saved. To show it, paste this line into the text: {picture.markdown}"
            )

    def view_on_site(self, obj: Article) -> str:
        return obj.get_absolute_url()

    @method_decorator([require_POST, xframe_options_sameorigin, csp_override(MAY_BE_FRAMED)])
    def preview(self, request: HttpRequest) -> HttpResponse:
        """Render the article's page from the unsaved form. Raises PermissionDenied."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        article = read_draft(request.POST)
        if article is None:
            return HttpResponse("Choose a topic and write the text first.", content_type="text/plain")
        context = {
            **describe_page(request, article, clinic=Clinic.objects.current(), now=timezone.now()),
            "is_draft": True,
            "is_unsaved": True,
        }
        return render(request, "education/article.html", context)

    def revisions(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Show and restore revisions; accept or decline a proposed update."""
        article = get_object_or_404(Article, pk=pk)
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        if request.method == "POST":
            self._act_on_revisions(request, article)
            return HttpResponseRedirect(reverse("admin:education_article_revisions", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Versions of “{article.title}”",
            "opts": self.opts,
            "article": article,
            "proposed": describe_changes(article.text, article.proposal) if article.proposal else None,
            "revisions": list_revisions(article),
        }
        return render(request, "education/admin_revisions.html", context)

    def _act_on_revisions(self, request: HttpRequest, article: Article) -> None:
        now = timezone.now()
        try:
            if request.POST.get("proposal") == "accept":
                accept_proposal(article, by=staff_of(request), now=now)
                messages.success(request, "The update is accepted. The article now has its text.")
            elif request.POST.get("proposal") == "decline":
                decline_proposal(article)
                messages.success(request, "The update is declined. The article is unchanged.")
            elif number := request.POST.get("restore", ""):
                rows = article.revisions.filter(pk=int(number) if number.isdecimal() else 0)
                restore_revision(get_object_or_404(rows), by=staff_of(request), now=now)
                messages.success(request, "The earlier version is restored.")
        except NothingProposed:
            messages.warning(request, "This update was already accepted or declined.")

    @admin.display(description="state", ordering="status")
    def state(self, article: Article) -> SafeString:
        if article.published_at is None or article.status == "draft":
            return format_html('<span class="chip chip-quiet">{}</span>', "draft")
        if not article.is_out(now=timezone.now()):
            return format_html('<span class="chip chip-warn">{}</span>', "scheduled")
        if article.reviewed_on is None:
            return format_html('<span class="chip chip-warn">{}</span>', "published, not reviewed")
        return format_html('<span class="chip chip-ok">{}</span>', "published")

    @admin.display(description="next review", ordering="next_review_on")
    def next_review(self, article: Article) -> SafeString | date | None:
        if article.next_review_on and article.next_review_on <= timezone.localdate() + REMIND_BEFORE:
            return format_html('<span class="chip chip-warn">{}</span>', format_date(article.next_review_on))
        return article.next_review_on

    @admin.display(description="reading grade")
    def grade(self, article: Article) -> str:
        return f"{article_grade(article)} (aim for {EASIEST_GRADE:g} to {HARDEST_GRADE:g})" if article.body else "–"

    @admin.display(description="fix before publishing")
    def publishing_faults(self, article: Article) -> str:
        if not article.body:
            return "–"
        faults = [(field.replace("_", " "), fault) for field, all in find_faults(article).items() for fault in all]
        faults += [("body", fault) for fault in find_broken_links(article)]
        items = format_html_join("", "<li>{}: {}</li>", faults)
        return format_html("<ul>{}</ul>", items) if items else "Nothing."

    @admin.display(description="latest pictures, with the line that shows each")
    def latest_pictures(self, article: Article) -> str:
        rows = [(thumbnail(picture), picture.markdown) for picture in Picture.objects.all()[:PICTURES_SHOWN]]
        return format_html_join("", '<p class="picture-line">{} <code>{}</code></p>', rows) or "None yet."

    @admin.display(description="source")
    def origin(self, article: Article) -> str:
        if not article.source_file:
            return "Written here."
        edited = "edited by staff, so updates do not change it" if article.is_edited_by_staff else "unchanged"
        return f"{article.source_file}, {edited}."
