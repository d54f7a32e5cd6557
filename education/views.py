"""The reading pages. Anybody may read what is published; staff may look at drafts."""

from itertools import groupby

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.http import http_date
from django.views.decorators.http import conditional_page, require_safe

from clinic.practice.models import Clinic

from .articles import published, render_article
from .models import Article, Topic
from .structured_data import describe_article


@require_safe
def index(request):
    """All there is to read, by topic."""
    articles = published(now=timezone.now())
    shelves = [(topic, list(group)) for topic, group in groupby(articles, key=lambda article: article.topic)]
    return render(request, "education/index.html", {"shelves": shelves})


@require_safe
def topic(request, slug):
    """One topic's articles, in their order."""
    topic = get_object_or_404(Topic, slug=slug)
    return render(
        request, "education/topic.html", {"topic": topic, "articles": published(now=timezone.now()).filter(topic=topic)}
    )


@require_safe
@conditional_page
def article(request, slug):
    """One article. The validator is a digest of the page itself, so a changed price or phone number is never stale."""
    now = timezone.now()
    article = get_object_or_404(Article.objects.select_related("topic", "author", "reviewed_by"), slug=slug)
    is_draft = not article.is_public(now=now)
    if is_draft and not may_preview(request.user):
        raise Http404
    context = {**describe_page(request, article, now=now), "is_draft": is_draft}
    response = render(request, "education/article.html", context)
    if is_draft:
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
    else:
        patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
        response["Last-Modified"] = http_date(article.updated_at.timestamp())
    return response


def describe_page(request, article: Article, *, now) -> dict:
    """What the template of an article names."""
    clinic = Clinic.objects.current()
    before, after = find_neighbours(article, list(published(now=now).filter(topic=article.topic_id)))
    canonical = canonical_url(request, article)
    return {
        "article": article,
        "page": render_article(article, emergency_number=clinic.emergency_number),
        "before": before,
        "after": after,
        "clinic": clinic,
        "emergency_number": clinic.emergency_number,
        "canonical": canonical,
        "structured_data": describe_article(article, clinic=clinic, url=canonical),
    }


def may_preview(user) -> bool:
    """Whether `user` may read what is not out yet."""
    return user.is_active and user.is_staff and user.has_perm("education.view_article")


def canonical_url(request, article: Article) -> str:
    """The one address of `article` that search engines should know, whatever host the request named."""
    path = article.get_absolute_url()
    return settings.SITE_URL.rstrip("/") + path if settings.SITE_URL else request.build_absolute_uri(path)


def find_neighbours(article: Article, series: list[Article]) -> tuple[Article | None, Article | None]:
    """Those before and after `article` in `series`; None at an end, or where it is not in it (a draft)."""
    places = [place for place, other in enumerate(series) if other.pk == article.pk]
    if not places:
        return None, None
    place = places[0]
    return (series[place - 1] if place else None), (series[place + 1] if place + 1 < len(series) else None)
