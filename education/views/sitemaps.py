"""The sitemap of the public pages."""

from datetime import datetime
from typing import Any

from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps import views as sitemap_views
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import conditional_page, require_safe

from clinic.practice.models import Clinic
from clinic.responses.headers import keep_public
from education.articles.library import published
from education.exercises.library import public_exercises
from education.models import Article, Topic

PAGES = (
    "education:search",
    "education:glossary",
    "education:load_check",
    "education:pain_guide",
    "education:body_sites",
)
EXERCISE_PAGES = ("education:exercises", "education:warm_up", "education:stretches", "education:strength")


class ArticlesMap(Sitemap):
    """Published articles, with the instant of their last change."""

    def items(self) -> QuerySet[Article]:
        return published(now=timezone.now())

    def lastmod(self, article: Article) -> datetime:
        return article.updated_at


class TopicsMap(Sitemap):
    """Topics with published articles."""

    def items(self) -> QuerySet[Topic]:
        articles = published(now=timezone.now()).order_by()
        return (
            Topic.objects.filter(articles__in=articles).annotate(changed_at=Max("articles__updated_at")).order_by("pk")
        )

    def lastmod(self, topic: Any) -> datetime:
        return topic.changed_at


class PagesMap(Sitemap):
    """The other public pages."""

    def items(self) -> list[str]:
        return ["home", "booking:services", "education:index", *PAGES]

    def location(self, name: str) -> str:
        return reverse(name)


class ExercisesMap(Sitemap):
    """The pages of exercises, if the clinic shows any."""

    def items(self) -> list[str]:
        public = public_exercises(clinic=Clinic.objects.current())
        pages = [reverse(name) for name in EXERCISE_PAGES] if public else []
        return [*pages, *(exercise.get_absolute_url() for exercise in public)]

    def location(self, address: str) -> str:
        return address


SITEMAPS = {"articles": ArticlesMap, "topics": TopicsMap, "exercises": ExercisesMap, "pages": PagesMap}


@require_safe
@conditional_page
def sitemap(request: HttpRequest, more: dict[str, type[Sitemap]]) -> HttpResponse:
    """Return the sitemap of all public pages. `more` contains the sitemaps of other apps, by name."""
    return keep_public(sitemap_views.sitemap(request, {**SITEMAPS, **more}).render())
