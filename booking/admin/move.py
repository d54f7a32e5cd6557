"""The page that moves a visit, its undo, and what the history of a visit says about moves."""

import uuid

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from booking.actions.change import move_appointment
from booking.admin.acts import VisitActs, format_state
from booking.admin.error_text import format_notice, format_refusal, show_refusal
from booking.admin.times import local_time
from booking.forms.staff import StaffMoveForm
from booking.messages.delivery import describe_move_delivery
from booking.models import Appointment, AppointmentEvent
from booking.schedule.errors import BookingRefused, VisitChanged
from clinic.practice.access.staff import staff_of
from clinic.responses.admin_addresses import local_back
from clinic.responses.redirects import see_other


def format_event(event: AppointmentEvent) -> str:
    """Return what happened, for the history of a visit. A move says where to, and whether the patient was told."""
    if event.kind != AppointmentEvent.Kind.MOVED:
        return event.get_kind_display()
    length = f", {event.minutes} minutes" if event.minutes else ""
    silent = ", without telling the patient" if event.is_silent else ""
    whom = f" with {event.therapist.name}" if event.therapist else ""
    return f"moved to {local_time(event.starts_at).short}{whom}{length}{silent}"


class VisitMoves(VisitActs):
    """Base of the admin of visits: the page that moves one."""

    def move_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show the form that moves a visit to another time, therapist or length. A POST moves it.

        Staff may override booking rules that they were shown. After a move, redirect to `back`, an address in the
        admin, or to the visit. Raises PermissionDenied.
        """
        if not self.has_act_permission(request):
            raise PermissionDenied
        visit = Appointment.objects.select_related("service", "therapist").filter(pk=pk).first()
        if visit is None:
            return self._to_visit(pk)
        return self._move_page(request, visit)

    def _move_page(self, request: HttpRequest, visit: Appointment) -> HttpResponse:
        back = local_back((request.POST if request.method == "POST" else request.GET).get("back", ""))
        form = StaffMoveForm(request.POST or None, visit=visit, back=back)
        if request.method == "POST" and form.is_valid():
            now = timezone.now()
            try:
                moved = move_appointment(appointment=visit, **form.move, by=staff_of(request), now=now)
            except VisitChanged as refusal:
                visit = Appointment.objects.select_related("service", "therapist").get(pk=visit.pk)
                form.ask_again(f"{format_refusal(refusal)} {format_state(visit)}", version=visit.shown)
            except BookingRefused as refusal:
                show_refusal(form, refusal, now=now)
            else:
                self._say_moved(request, moved)
                return see_other(f"{back.partition('#')[0]}#visit-{moved.pk}") if back else self._to_visit(moved.pk)
        page = {
            "title": f"Move {visit.reference}",
            "now_text": f"{local_time(visit.starts_at)}, with {visit.therapist}, {visit.minutes} minutes",
            "form": form,
            "back": back or reverse("admin:booking_appointment_change", args=[visit.pk]),
        }
        return self.page_of_visits(request, "booking/admin_move.html", page)

    def _say_moved(self, request: HttpRequest, moved: Appointment) -> None:
        end = local_time(moved.ends_at).clock
        text = f"{moved.reference} is now on {local_time(moved.starts_at)}, until {end}, with {moved.therapist}."
        notice = format_notice(moved.service, moved.starts_at, now=timezone.now())
        self.message_user(request, " ".join(filter(None, (text, notice, describe_move_delivery(moved)))))
