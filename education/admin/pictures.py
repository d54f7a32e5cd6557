"""Pictures in the admin: uploaded once, shown by any article, never changed."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from clinic.audit.admin import PrivateSearch
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from education.articles.pictures import articles_with, keep_picture

from ..forms.pictures import PictureForm
from ..models import Picture


def thumbnail(picture: Picture):
    """A small view of `picture`; its description stands beside it wherever this is shown."""
    address = reverse("picture", args=[picture.name, picture.least_width])
    return format_html('<img class="thumbnail" src="{}" alt="" loading="lazy">', address)


@admin.register(Picture)
class PictureAdmin(RefusesStaleSaves, PrivateSearch, admin.ModelAdmin):
    form = PictureForm
    list_display = ["shown", "description", "line", "uploaded_at"]
    list_display_links = ["shown", "description"]
    search_fields = ["description"]
    actions = None

    def get_fields(self, request, obj=None):
        return ["shown", "description", "line", "used_by", "uploaded_at"] if obj else ["file", "description"]

    def get_readonly_fields(self, request, obj=None):
        return ["shown", "line", "used_by", "uploaded_at"] if obj else []

    def has_delete_permission(self, request, obj=None):
        """Not while an article shows it."""
        return super().has_delete_permission(request, obj) and (obj is None or not articles_with(obj).exists())

    def save_model(self, request, obj, form, change):
        if change:
            return super().save_model(request, obj, form, change)
        typed = form.cleaned_data
        kept = keep_picture(typed["file"], description=typed["description"], by=request.user, now=timezone.now())
        obj.pk = kept.pk
        obj.refresh_from_db()
        return None

    @admin.display(description="picture")
    def shown(self, picture):
        return thumbnail(picture)

    @admin.display(description="line for the text")
    def line(self, picture):
        return format_html("<code>{}</code>", picture.markdown)

    @admin.display(description="used by")
    def used_by(self, picture):
        links = [
            (reverse("admin:education_article_change", args=[article.pk]), article.title)
            for article in articles_with(picture).only("title")
        ]
        return format_html_join(", ", '<a href="{}">{}</a>', links) or "No article. It can be deleted."
