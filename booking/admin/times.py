"""When, in lists of the admin: by the clock of the zone the page is under, and beginning with today."""

from datetime import UTC, datetime, timedelta

from django.contrib import admin
from django.utils import timezone

from booking.models.visit_states import Outcome
from booking.schedule.local_time import LocalTime
from booking.time.opening_hours import day_interval
from clinic.audit.searching import SEARCHED_VAR


def local_time(instant: datetime) -> LocalTime:
    """By the clock of the zone the page is under: the clinic's."""
    return LocalTime(instant.astimezone(UTC), timezone.get_current_timezone())


class UnmarkedFilter(admin.SimpleListFilter):
    """The visits that are over without a mark whether the patient came. They are past, so it looks at every day."""

    title = "ending"
    parameter_name = "ending"

    def lookups(self, request, model_admin):
        return (("unmarked", "Unmarked: did they come?"),)

    def queryset(self, request, queryset):
        return queryset.with_outcome(Outcome.UNMARKED, now=timezone.now()) if self.value() == "unmarked" else queryset


class WhenFilter(admin.SimpleListFilter):
    """From today on unless asked otherwise. Days are those of the zone the page is under: the clinic's."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request, model_admin):
        return (("today", "Today"), ("tomorrow", "Tomorrow"), ("past", "Past"), ("all", "All"))

    def choices(self, changelist):
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": "From today on",
        }
        for value, words in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": words,
            }

    def queryset(self, request, queryset):
        zone = timezone.get_current_timezone()
        today = timezone.localdate()
        if self.value() in ("today", "tomorrow"):
            day = day_interval(today + timedelta(days=self.value() == "tomorrow"), 1, zone)
            return queryset.filter(starts_at__gte=day.start, starts_at__lt=day.end)
        start = day_interval(today, 1, zone).start
        if self.value() == "past":
            return queryset.filter(starts_at__lt=start).order_by("-starts_at")
        # A search or a day of the calendar looks everywhere.
        is_narrowed = self.value() == "all" or any(
            name.startswith((SEARCHED_VAR, "starts_at__", UnmarkedFilter.parameter_name)) for name in request.GET
        )
        return queryset if is_narrowed else queryset.filter(starts_at__gte=start)
