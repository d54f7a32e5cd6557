from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html

from ..forms.articles import ArticleForm
from ..models import Article, Topic
from ..publishing import article_grade, find_broken_links, find_faults


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ["name", "position", "summary"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    form = ArticleForm
    list_display = ["title", "state", "topic", "next_review_on"]
    list_filter = ["status", "topic", "reviewed_by"]
    list_select_related = ["topic"]
    search_fields = ["title", "summary", "body"]
    ordering = ["topic__position", "position"]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["state", "origin", "grade", "what_to_mend", "code", "reading_minutes", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "topic", "position", "state", "status", "published_at"]}),
        ("Before publishing", {"fields": ["grade", "what_to_mend"]}),
        ("What it says", {"fields": ["summary", "who_for", "key_facts", "care", "body", "references"]}),
        ("Who stands behind it", {"fields": ["author", "reviewed_by", "reviewed_on", "next_review_on"]}),
        ("About the page", {"fields": ["origin", "code", "reading_minutes", "updated_at"]}),
    ]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        is_list = request.resolver_match and request.resolver_match.url_name == "education_article_changelist"
        return rows.for_lists() if is_list else rows

    def save_model(self, request, obj, form, change):
        save_article(obj, by=request.user, now=timezone.now())

    def view_on_site(self, obj):
        return obj.get_absolute_url()

    @admin.display(description="state", ordering="status")
    def state(self, article):
        if article.published_at is None or article.status == "draft":
            return format_html('<span class="chip chip-quiet">{}</span>', "draft")
        if not article.is_public(now=timezone.now()):
            return format_html('<span class="chip chip-warn">{}</span>', "scheduled")
        if article.reviewed_on is None:
            return format_html('<span class="chip chip-warn">{}</span>', "published, not reviewed")
        return format_html('<span class="chip chip-ok">{}</span>', "published")

    @admin.display(description="reading grade")
    def grade(self, article):
        return f"{article_grade(article)} (may be 8)" if article.body else "–"

    @admin.display(description="to mend before publishing")
    def what_to_mend(self, article):
        if not article.body:
            return "–"
        faults = [f"{field.replace('_', ' ')}: {words}" for field, all in find_faults(article).items() for words in all]
        faults += find_broken_links(article)
        return " ".join(faults) or "Nothing."

    @admin.display(description="where it came from")
    def origin(self, article):
        if not article.source_file:
            return "Written here."
        edited = "edited here since; updates leave it alone" if article.is_edited_by_staff else "as it came"
        return f"{article.source_file}, {edited}."
