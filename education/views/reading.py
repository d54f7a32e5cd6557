"""The pages of articles. Staff with the view permission can preview those that are not public."""

from datetime import datetime
from itertools import groupby

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import http_date
from django.views.decorators.http import conditional_page, require_safe

from clinic.practice.models import Clinic, User
from clinic.responses.addresses import canonical_url, describe_address
from clinic.responses.headers import keep_public
from education.articles.glossary import read_glossary
from education.articles.library import draw_article_share_image, find_neighbors, published, render_article
from education.articles.structured_data import describe_article
from education.exercises.library import public_exercises
from education.models import Article, FormerSlug, Topic


@require_safe
@conditional_page
def index(request: HttpRequest) -> HttpResponse:
    """List the published articles by topic."""
    articles = published(now=timezone.now())
    by_topic = [(topic, list(group)) for topic, group in groupby(articles, key=lambda article: article.topic)]
    has_exercises = bool(public_exercises(clinic=Clinic.objects.current()))
    context = {"by_topic": by_topic, "has_exercises": has_exercises, **describe_address(request)}
    return keep_public(render(request, "education/index.html", context))


@require_safe
@conditional_page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    """List the published articles of a topic, in their order."""
    topic = get_object_or_404(Topic, slug=slug)
    context = {
        "topic": topic,
        "articles": published(now=timezone.now()).filter(topic=topic),
        **describe_address(request),
    }
    return keep_public(render(request, "education/topic.html", context))


@require_safe
@conditional_page
def glossary(request: HttpRequest) -> HttpResponse:
    """List the terms of the glossary."""
    context = {"terms": read_glossary(), **describe_address(request)}
    return keep_public(render(request, "education/glossary.html", context))


@require_safe
@conditional_page
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one article, or redirect from its former slug.

    The ETag is a digest of the whole page, so a changed price or phone number invalidates it.
    Raises Http404 if no article has the slug, or if the article is not public and the user may not preview it.
    """
    now = timezone.now()
    article = find_article(slug)
    if article is None:
        return redirect_former_slug(slug, now=now)
    clinic = Clinic.objects.current()
    is_draft = not article.is_public(now=now, clinic=clinic)
    if is_draft and not may_preview(request.user):
        raise Http404
    context = {**describe_page(request, article, clinic=clinic, now=now), "is_draft": is_draft}
    response = render(request, "education/article.html", context)
    if is_draft:
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
    else:
        keep_public(response)
        response["Last-Modified"] = http_date(article.updated_at.timestamp())
    return response


@require_safe
@conditional_page
def share_image(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the image that is shown with a shared link to an article."""
    article = get_object_or_404(published(now=timezone.now()), slug=slug)
    image = draw_article_share_image(article, clinic=Clinic.objects.current())
    return keep_public(HttpResponse(image, content_type="image/png"))


def describe_page(request: HttpRequest, article: Article, *, clinic: Clinic, now: datetime) -> dict:
    """Return the context of the article template."""
    canonical = canonical_url(request, article.get_absolute_url())
    learn = canonical_url(request, reverse("education:index"))
    topic = canonical_url(request, article.topic.get_absolute_url())
    trail = (("Learn", learn), (article.topic.name, topic), (article.title, canonical))
    return {
        "article": article,
        "page": render_article(article, emergency_number=clinic.emergency_number),
        **find_neighbors(article, now=now),
        "clinic": clinic,
        "emergency_number": clinic.emergency_number,
        **describe_address(request),
        "canonical": canonical,
        "share_image": canonical_url(request, reverse("education:share_image", args=[article.slug])),
        "share_alt": f"Two green hills by a lake, and the words: {article.title}",
        "structured_data": describe_article(article, clinic=clinic, url=canonical, trail=trail),
    }


def may_preview(user: User | AnonymousUser) -> bool:
    """Whether `user` may preview articles that are not public."""
    return user.is_active and user.is_staff and user.has_perm("education.view_article")


def find_article(slug: str) -> Article | None:
    """Find the article with `slug`, published or not, with its topic, author and reviewer."""
    rows = Article.objects.select_related("topic", "author", "reviewed_by").defer("prose", "search", "proposal")
    return rows.filter(slug=slug).first()


def redirect_former_slug(slug: str, *, now: datetime) -> HttpResponse:
    """Redirect a former slug to its article (301). Raises Http404 if the slug is unknown or the article not public."""
    former = get_object_or_404(FormerSlug.objects.select_related("article"), slug=slug)
    if not former.article.is_public(now=now, clinic=Clinic.objects.current()):
        raise Http404
    return redirect(former.article, permanent=True)
