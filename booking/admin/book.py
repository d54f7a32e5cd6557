"""Staff book a visit: the form, with the times that fit, and the search for the next free times."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from booking.actions.book import book_appointment
from booking.admin.acts import VisitActs
from booking.admin.error_text import format_notice, show_broken_rules, show_refusal
from booking.admin.times import local_time
from booking.forms.find_time import FindTimeForm
from booking.forms.staff_booking import PREFILLED, StaffBookingForm, keep_typed, read_prefill
from booking.messages.delivery import describe_delivery
from booking.messages.names import BOOKED
from booking.models import Appointment, Service
from booking.schedule.errors import BookingRefused, SlotNotOffered, SlotTaken
from booking.schedule.rules import require_free
from booking.schedule.slots import Slot
from booking.staff.listed_times import fitting_context, found_context
from clinic.audit.access import record_read
from clinic.audit.searching import clean_search
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Clinic, Patient


class BooksVisits(VisitActs):
    """Base of the admin of visits: the pages on which staff find a time and book it."""

    def get_urls(self) -> list[URLPattern]:
        find = self.admin_site.admin_view(require_safe(self.find_view))
        return [path("find/", find, name="booking_appointment_find"), *super().get_urls()]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """List the next free times for a service, as links to the form that books them. Raises PermissionDenied.

        Shows no patient.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        services = list(Service.objects.all()[:2])
        sent = request.GET.copy()
        if len(services) == 1:
            sent.setdefault("service", str(services[0].pk))
        form = FindTimeForm(sent if "service" in sent else None, initial={"first_day": timezone.localdate()})
        page = {"title": "Find a time", "form": form}
        if form.is_bound and form.is_valid():
            page |= found_context(form, now=timezone.now(), clinic=Clinic.objects.current())
        return self.page_of_visits(request, "booking/admin_find_time.html", page)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form that books a visit; a POST books it, looks up a patient, or takes a listed time.

        The address may have a service, a therapist and a start (`PREFILLED`). Raises PermissionDenied.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        sees_patients = self.admin_site.get_model_admin(Patient).has_view_permission(request)
        make_form = partial(StaffBookingForm, clinic=Clinic.objects.current(), sees_patients=sees_patients)
        if request.method != "POST":
            return self._book_page(request, make_form(initial=read_prefill(request.GET)))
        if "times" in request.POST:
            sent = {name: request.POST.get(name, "") for name in (*PREFILLED, "mode")}
            return self._times_part(request, make_form(initial=sent))
        if _is_only_shown_again(request.POST):
            form = make_form(initial=keep_typed(request.POST))
            form.look_up(clean_search(request.POST.get("find", "")))
            return self._book_page(request, form)
        return self._book(request, make_form(request.POST))

    def _book(self, request: HttpRequest, form: StaffBookingForm) -> HttpResponse:
        if not form.is_valid():
            return self._book_page(request, form)
        now = timezone.now()
        try:
            visit = book_appointment(booking=form.booking(), by=staff_of(request), now=now)
        except BookingRefused as refusal:
            show_refusal(form, refusal, now=now)
            return self._book_page(request, form, is_taken=isinstance(refusal, SlotTaken))
        self.message_user(request, _describe_booked(visit), messages.SUCCESS)
        return self._to_visit(visit.pk)

    def _book_page(self, request: HttpRequest, form: StaffBookingForm, *, is_taken: bool = False) -> TemplateResponse:
        for patient in form.offered:  # the page shows their names and numbers
            record_read(actor=request.user, subject=patient, patient_ids=[patient.pk], now=timezone.now())
        now = timezone.now()
        page = {"title": "Book a visit", "form": form, **fitting_context(form, is_taken=is_taken, now=now)}
        if not form.broken_rules:
            page |= _rules_context(form, now=now)
        return self.page_of_visits(request, "booking/admin_new_visit.html", page)

    def _times_part(self, request: HttpRequest, form: StaffBookingForm) -> TemplateResponse:
        now = timezone.now()
        context = {"form": form, "is_part": True, **fitting_context(form, now=now), **_rules_context(form, now=now)}
        return TemplateResponse(request, "booking/_admin_fitting.html", context)


def _is_only_shown_again(sent: Mapping[str, str]) -> bool:
    """Whether the form was sent by another button than "Book", or by one but with a search instead of a patient."""
    is_search = sent.get("find", "").strip() and not sent.get("patient") and not sent.get("name", "").strip()
    return bool("look_up" in sent or "use_time" in sent or is_search)


def _rules_context(form: StaffBookingForm, *, now: datetime) -> dict[str, Any]:
    """Show the rules that the time in `form` breaks, and return the note about short notice.

    The booking itself checks them again, under the lock. An overlap is not shown here: the list has the free times.
    """
    service, therapist, start = form.given_service, form.given_therapist, form.given_start
    if service is None or therapist is None or start is None:
        return {}
    clinic, mode = Clinic.objects.current(), form["mode"].value() or service.modes[0].name
    try:
        require_free(slot=Slot(service, therapist, start), mode=mode, clinic=clinic, by_staff=True, now=now)
    except SlotNotOffered as refusal:
        show_broken_rules(form, refusal, starts_at=start, now=now)
    except SlotTaken:
        return {}
    return {"notice": format_notice(service, start, now=now)}


def _describe_booked(visit: Appointment) -> SafeString:
    """Return what was booked and how the patient learns of it, with links to the next booking and to the day."""
    time = local_time(visit.starts_at)
    return format_html(
        '{} is booked: {}, with {}. {} <a href="{}">Book another visit</a> or <a href="{}">see {}</a>.',
        visit.reference,
        time,
        visit.therapist,
        describe_delivery(visit, BOOKED),
        f"{reverse('admin:booking_appointment_find')}?{urlencode({'service': visit.service_id})}",
        address_of_day(time.local.date()),
        time.short_day,
    )


def address_of_day(day: date) -> str:
    """Return the address of one day of the calendar."""
    return reverse("admin:booking_appointment_calendar", query={"view": "day", "day": day.isoformat()})
