"""How search engines find what can be booked."""

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from booking.models import Purpose, Service


class VisitsMap(Sitemap):
    """The days of each visit that is listed; of follow-ups a newcomer could choose none."""

    def items(self) -> QuerySet[Service]:
        return Service.objects.listed().exclude(purpose=Purpose.FOLLOW_UP)

    def location(self, service: Service) -> str:
        return reverse("booking:days", args=[service.slug])
