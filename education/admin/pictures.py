"""Pictures in the admin. Any article can use an uploaded picture. The pixels of a picture never change."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from clinic.audit.admin import PrivateSearch
from clinic.practice.access.staff import staff_of
from clinic.practice.admin.columns import moment_column
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from education.articles.pictures import articles_with, store_picture
from education.forms.pictures import PictureForm
from education.models import Picture


def thumbnail(picture: Picture) -> SafeString:
    """Render a thumbnail. Its alt text is empty, because the description is shown beside it."""
    address = reverse("picture", args=[picture.name, picture.least_width])
    return format_html('<img class="thumbnail" src="{}" alt="" loading="lazy">', address)


@admin.register(Picture)
class PictureAdmin(RefusesStaleSaves, PrivateSearch, admin.ModelAdmin):
    form = PictureForm
    list_display = ["shown", "description", "line", "uploaded"]
    list_display_links = ["shown", "description"]
    search_fields = ["description"]
    actions = None

    uploaded = moment_column("uploaded_at", "uploaded")

    def get_fields(self, request: HttpRequest, obj: Picture | None = None) -> tuple[str, ...]:
        return ("shown", "description", "line", "used_by", "uploaded") if obj else ("file", "description")

    def get_readonly_fields(self, request: HttpRequest, obj: Picture | None = None) -> list[str]:
        return ["shown", "line", "used_by", "uploaded"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Picture | None = None) -> bool:
        """Prevent deletion while an article shows the picture."""
        return super().has_delete_permission(request, obj) and (obj is None or not articles_with(obj).exists())

    def save_model(self, request: HttpRequest, obj: Picture, form: PictureForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        typed = form.cleaned_data
        kept = store_picture(typed["file"], description=typed["description"], by=staff_of(request), now=timezone.now())
        obj.pk = kept.pk
        obj.refresh_from_db()

    @admin.display(description="picture")
    def shown(self, picture: Picture) -> SafeString:
        return thumbnail(picture)

    @admin.display(description="line for the text")
    def line(self, picture: Picture) -> SafeString:
        return format_html("<code>{}</code>", picture.markdown)

    @admin.display(description="used by")
    def used_by(self, picture: Picture) -> str:
        links = [
            (reverse("admin:education_article_change", args=[article.pk]), article.title)
            for article in articles_with(picture).only("title")
        ]
        return format_html_join(", ", '<a href="{}">{}</a>', links) or "No article. It can be deleted."
