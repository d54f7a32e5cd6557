"""How search engines find what can be booked."""

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from booking.models import Purpose, Service


class VisitsMap(Sitemap):
    """The days of each visit that is listed; of follow-ups a newcomer could choose none."""

    def items(self):
        return Service.objects.listed().exclude(purpose=Purpose.FOLLOW_UP)

    def location(self, service):
        return reverse("booking:days", args=[service.slug])
