"""How search engines find what can be booked."""

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from booking.models import Service


class VisitsMap(Sitemap):
    """The days of each visit that is listed."""

    def items(self):
        return Service.objects.listed()

    def location(self, service):
        return reverse("booking:days", args=[service.slug])
