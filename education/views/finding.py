"""How readers and their programs find articles: search, sitemap, feed."""

from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps import views as sitemap_views
from django.contrib.syndication.views import Feed
from django.db.models import Max
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import conditional_page, require_safe

from clinic.practice.models import Clinic
from education.articles.library import published
from education.articles.search import search_articles

from ..models import Topic
from .addresses import describe_address, keep_public

LONGEST_QUERY = 200
PAGES = ("education:search", "education:glossary", "education:load_check", "education:pain_guide", "education:places")


@require_safe
def search(request):
    """What the articles say about some words. Nobody keeps what was asked, and no search engine indexes an answer."""
    words = request.GET.get("q", "")[:LONGEST_QUERY].replace("\x00", "").strip()
    context = {
        "words": words,
        "findings": search_articles(words, now=timezone.now()) if words else None,
        **describe_address(request),
    }
    template = "education/_findings.html" if request.htmx else "education/search.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    if words:
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
    return response


class ArticlesMap(Sitemap):
    """Every article that is out, with the day it changed last."""

    def items(self):
        return published(now=timezone.now())

    def lastmod(self, article):
        return article.updated_at


class ShelvesMap(Sitemap):
    """The topics that have something to read."""

    def items(self):
        articles = published(now=timezone.now()).order_by()
        return (
            Topic.objects.filter(articles__in=articles).annotate(changed_at=Max("articles__updated_at")).order_by("pk")
        )

    def lastmod(self, topic):
        return topic.changed_at


class PagesMap(Sitemap):
    """The other pages that anybody may find."""

    def items(self):
        return ["home", "booking:services", "education:index", *PAGES]

    def location(self, name):
        return reverse(name)


SITEMAPS = {"articles": ArticlesMap, "topics": ShelvesMap, "pages": PagesMap}


@require_safe
@conditional_page
def sitemap(request, more):
    """Every public page, for search engines; `more` are the sitemaps of other rooms, by name."""
    return keep_public(sitemap_views.sitemap(request, {**SITEMAPS, **more}).render())


class NewArticles(Feed):
    """What has been written or changed, newest first, as Atom."""

    feed_type = Atom1Feed
    description_template = None

    def __call__(self, request, *args, **kwargs):
        return keep_public(super().__call__(request, *args, **kwargs))

    def title(self):
        return f"{Clinic.objects.current().name}: articles"

    def link(self):
        return reverse("education:index")

    def subtitle(self):
        return "Plain, sourced articles for runners."

    def author_name(self):
        return Clinic.objects.current().name

    def items(self):
        return published(now=timezone.now()).order_by("-updated_at")[:30]

    def item_title(self, article):
        return article.title

    def item_description(self, article):
        return article.summary

    def item_pubdate(self, article):
        return article.published_at

    def item_updateddate(self, article):
        return article.updated_at
