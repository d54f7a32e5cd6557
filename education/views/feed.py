"""The Atom feed of articles."""

from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed

from clinic.practice.models import Clinic
from clinic.responses.headers import keep_public
from education.articles.library import published
from education.models import Article


class NewArticles(Feed):
    """The published articles that changed last, as Atom. The latest change comes first."""

    feed_type = Atom1Feed
    description_template = None

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return keep_public(super().__call__(request, *args, **kwargs))

    def title(self) -> str:
        return f"{Clinic.objects.current().name}: articles"

    def link(self) -> str:
        return reverse("education:index")

    def subtitle(self) -> str:
        return "Plain, sourced articles for runners."

    def author_name(self) -> str:
        return Clinic.objects.current().name

    def items(self) -> QuerySet[Article]:
        return published(now=timezone.now()).order_by("-updated_at")[:30]

    def item_title(self, article: Article) -> str:
        return article.title

    def item_description(self, article: Article) -> str:
        return article.summary

    def item_pubdate(self, article: Article) -> datetime | None:
        return article.published_at

    def item_updateddate(self, article: Article) -> datetime:
        return article.updated_at
