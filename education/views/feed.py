"""The Atom feed of articles."""

from django.contrib.syndication.views import Feed
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed

from clinic.practice.models import Clinic
from clinic.responses.headers import keep_public
from education.articles.library import published


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
