"""Helpers of the admin: times in the active zone, which is the clinic's, and filters for the list of visits."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from booking.models import Appointment
from booking.models.visit_states import Outcome
from booking.schedule.local_time import LocalTime
from booking.time.opening_hours import day_interval
from clinic.audit.searching import SEARCHED_VAR

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


def local_time(instant: datetime) -> LocalTime:
    """Return the time in the active zone, which is the clinic's."""
    return LocalTime(instant.astimezone(UTC), timezone.get_current_timezone())


class UnmarkedFilter(admin.SimpleListFilter):
    """Filter for visits, of any day, that are over and marked neither as arrived nor as a no-show."""

    title = "ending"
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Sequence[tuple[str, str]]:
        return (("unmarked", "Unmarked: did they come?"),)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != "unmarked":
            return queryset
        unmarked = Appointment.objects.with_outcome(Outcome.UNMARKED, now=timezone.now())
        return queryset.filter(pk__in=unmarked.values("pk"))


class WhenFilter(admin.SimpleListFilter):
    """Filter by day. By default, it shows visits from today on. Days are in the active zone, which is the clinic's."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> Sequence[tuple[str, str]]:
        return (("today", "Today"), ("tomorrow", "Tomorrow"), ("past", "Past"), ("all", "All"))

    def choices(self, changelist: ChangeList) -> Iterator["_ListFilterChoices"]:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": "From today on",
        }
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        zone = timezone.get_current_timezone()
        today = timezone.localdate()
        if self.value() in ("today", "tomorrow"):
            day = day_interval(today + timedelta(days=self.value() == "tomorrow"), 1, zone)
            return queryset.filter(starts_at__gte=day.start, starts_at__lt=day.end)
        start = day_interval(today, 1, zone).start
        if self.value() == "past":
            return queryset.filter(starts_at__lt=start).order_by("-starts_at")
        # A search, the date hierarchy and the filter for unmarked visits cover all days.
        is_narrowed = self.value() == "all" or any(
            name.startswith((SEARCHED_VAR, "starts_at__", UnmarkedFilter.parameter_name)) for name in request.GET
        )
        return queryset if is_narrowed else queryset.filter(starts_at__gte=start)
