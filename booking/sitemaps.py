"""The sitemap of services."""

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse

from booking.models import Purpose, Service


class VisitsMap(Sitemap):
    """The page of days of each listed service. Follow-ups are omitted, since new patients cannot book them."""

    def items(self) -> QuerySet[Service]:
        return Service.objects.listed().exclude(purpose=Purpose.FOLLOW_UP)

    def location(self, service: Service) -> str:
        return reverse("booking:days", args=[service.slug])
