"""Actions of staff on one visit, or on several at once after a page that lists the effect on each."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRefresh

from booking.actions.attend import (
    can_change,
    decide_late_fee,
    mark_arrived,
    mark_finished,
    mark_no_show,
    mark_started,
    state_after,
    undo_arrival,
    undo_finish,
    undo_no_show,
    undo_start,
)
from booking.actions.block_time import ask_to_move
from booking.actions.change import cancel_appointment, undo_cancellation, undo_move
from booking.actions.silence_move import silence_move
from booking.admin.error_text import REFUSALS_OF_AN_ACT, format_refusal
from booking.admin.times import local_time
from booking.messages.delivery import UNDO, describe_deliveries, describe_delivery, note_called
from booking.messages.names import ASKED_TO_MOVE, CANCELLED
from booking.models import Appointment, LateFee
from booking.models.visit_states import Act
from booking.schedule.errors import BookingRefused, TimeClosed, VisitChanged
from booking.schedule.off_schedule import accept_off_schedule
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Clinic
from clinic.responses.admin_addresses import local_back
from clinic.responses.htmx import is_htmx
from clinic.responses.redirects import see_other

# The domain function of each act, and the text that follows "… is" in the success message.
ACTS: Mapping[str, tuple[Callable[..., Appointment], str]] = {
    "arrived": (mark_arrived, "marked as arrived"),
    "undo-arrival": (undo_arrival, "no longer marked as arrived"),
    "start": (mark_started, "with the therapist"),
    "undo-start": (undo_start, "no longer marked as with the therapist"),
    "finish": (mark_finished, "marked as done"),
    "undo-finish": (undo_finish, "no longer marked as done"),
    "no-show": (mark_no_show, "marked as a no-show"),
    "undo-no-show": (undo_no_show, "no longer marked as a no-show"),
    "cancel": (cancel_appointment, "canceled"),
    "cancel-charged": (partial(cancel_appointment, late_fee=LateFee.CHARGED), "canceled, with the late fee charged"),
    "cancel-waived": (partial(cancel_appointment, late_fee=LateFee.WAIVED), "canceled, with the late fee waived"),
    "fee-charged": (partial(decide_late_fee, late_fee=LateFee.CHARGED), "charged the late fee. No bill is sent"),
    "fee-waived": (partial(decide_late_fee, late_fee=LateFee.WAIVED), "not charged the late fee"),
    "fee-undo": (partial(decide_late_fee, late_fee=""), "listed without a decision on the late fee"),
    "called": (note_called, "no longer listed: the patient was told by phone"),
    "keep": (accept_off_schedule, "kept as it is and no longer listed on Today"),
    "undo-move": (undo_move, "back at its earlier time; the patient was not told of the move"),
    "silence-move": (silence_move, "moved without telling the patient. Reminders will show the new time"),
    "ask-to-move": (ask_to_move, "booked until the patient chooses another time"),
    "undo": (undo_cancellation, "booked again; the patient was not told of the cancellation"),
}

CANCELS = ("cancel", "cancel-charged", "cancel-waived")
TOLD_BY = {**dict.fromkeys(CANCELS, CANCELLED), "ask-to-move": ASKED_TO_MOVE}  # the message that an act sends

# Acts on several visits: the act in `visit_states`, and the effect that the page lists.
OUTCOMES = {
    "cancel": (Act.CANCEL, "will be canceled"),
    "arrived": (Act.ARRIVE, "will be marked as arrived"),
    "no-show": (Act.NO_SHOW, "will be marked as a no-show"),
}

MOST_AT_ONCE = 200  # most visits that can be selected; each is changed in its own transaction

# The URL fragment to scroll to after a button on Today: the visit's row, or the list that the row has left.
BACK_ON_TODAY = {"today": "visit-{pk}", "unmarked": "unmarked", "call": "to-call"}


def is_only_mine(request: HttpRequest) -> bool:
    """Whether a button was pressed on Today with only the therapist's own visits."""
    return bool(request.POST.get("mine"))


def back_to_today(request: HttpRequest, *, fragment: str = "") -> HttpResponse:
    """Redirect to Today as it was when a button on it was pressed. htmx loads the page again, to swap no part of it."""
    if is_htmx(request):
        return HttpResponseClientRefresh()
    address = reverse("admin:index", query={"mine": 1} if is_only_mine(request) else None)
    return see_other(f"{address}#{fragment}" if fragment else address)


class VisitActs(admin.ModelAdmin):
    """Base of the admin of visits: the buttons on a visit's page, and the actions of the list."""

    actions = ("mark_as_arrived", "mark_as_no_show", "cancel")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the user may mark, move and cancel visits. Requires the change permission, but no row is edited."""
        return request.user.has_perm("booking.change_appointment")

    def act_view(self, request: HttpRequest, pk: uuid.UUID, act: str) -> HttpResponse:
        """Apply `act` to one visit if it is at the version that the page showed. Redirect to where it was pressed.

        htmx gets the row or the card instead. If the time was blocked since the cancellation that `act` would undo, ask
        first. Raises PermissionDenied.
        """
        if not self.has_act_permission(request):
            raise PermissionDenied
        visit = Appointment.objects.filter(pk=pk).first()
        if visit is None or act not in ACTS:
            return self._to_visit(pk)
        version = request.POST.get("version", "")  # a form without one is treated as stale
        more = {"despite_closure": True} if act == "undo" and request.POST.get("despite_closure") else {}
        try:
            is_done = self._act(request, visit, act, version=version, **more)
        except TimeClosed:
            return self._ask_about_closure(request, visit)
        if is_htmx(request) and (part := self.part_of(request, pk, is_done=is_done)) is not None:
            return part
        if place := BACK_ON_TODAY.get(request.POST.get("back", "")):
            return back_to_today(request, fragment=place.format(pk=pk) if is_done else "")  # a refusal is at the top
        if came_from := local_back(request.POST.get("next", "") or request.POST.get("back", "")):
            return see_other(came_from)
        return self._to_visit(pk)

    def part_of(self, request: HttpRequest, pk: uuid.UUID, *, is_done: bool) -> HttpResponse | None:
        """Return the part of a page that htmx swaps after an act. None if the page has no such part."""
        return None

    def _to_visit(self, pk: uuid.UUID) -> HttpResponse:
        """Redirect to the page of a visit. If it does not exist, that page redirects again with a message."""
        return see_other(reverse("admin:booking_appointment_change", args=[pk]))

    def _act(self, request: HttpRequest, visit: Appointment, act: str, *, version: str, **more: bool) -> bool:
        """Apply the act and return whether it was done.

        A refusal is shown as a message. TimeClosed is raised instead, so that the caller can ask for confirmation.
        """
        function, outcome = ACTS[act]
        try:
            function(appointment=visit, version=version, by=staff_of(request), now=timezone.now(), **more)
            told = f" {describe_delivery(visit, TOLD_BY[act])}" if act in TOLD_BY else ""
            told += f" {UNDO}" if act in CANCELS else ""
            self.message_user(request, _format_done(visit, outcome, told), messages.SUCCESS)
            return True
        except VisitChanged as refusal:
            text = f"{visit.reference}: {format_refusal(refusal)} {format_state(visit)}"
            self.message_user(request, text, messages.ERROR)
        except BookingRefused as refusal:
            if act == "undo" and isinstance(refusal, TimeClosed):
                raise
            of_this_act = REFUSALS_OF_AN_ACT.get(act, {}).get(type(refusal))
            text = f"{visit.reference}: {of_this_act or format_refusal(refusal)}"
            self.message_user(request, text, messages.ERROR)
        return False

    def _ask_about_closure(self, request: HttpRequest, visit: Appointment) -> TemplateResponse:
        page = {
            "title": f"Undo the cancellation of {visit.reference}?",
            "lines": [f"{format_refusal(TimeClosed())} The visit would be in blocked time. {format_state(visit)}"],
            "hidden": [("version", visit.shown), ("despite_closure", "1")],
            "action": reverse("admin:booking_appointment_act", args=[visit.pk, "undo"]),
            "button": "Undo it anyway",
            "back": reverse("admin:booking_appointment_change", args=[visit.pk]),
        }
        return self._confirm_page(request, page)

    def _act_on_several(
        self,
        request: HttpRequest,
        queryset: QuerySet[Appointment],
        act: str,
        *,
        action: str,
        question: str,
        button: str,
    ) -> TemplateResponse | None:
        """Return a page that lists the effect of `act` on each visit. Once that is confirmed, apply it and return None.

        Only visits that are still at the version shown are changed. If more than MOST_AT_ONCE visits are selected, show
        an error and return None.
        """
        if request.POST.get("confirmed"):
            seen = _read_seen(request.POST.get("seen", ""))
            if len(seen) > MOST_AT_ONCE:
                self._say_too_many(request)
                return None
            for visit in self.get_queryset(request).filter(
                pk__in=seen
            ):  # includes visits that have left the list since
                self._act(request, visit, act, version=seen[visit.pk])
            return None
        visits = list(queryset.select_related("patient", "service", "therapist")[: MOST_AT_ONCE + 1])
        if len(visits) > MOST_AT_ONCE:
            self._say_too_many(request)
            return None
        now, clinic = timezone.now(), Clinic.objects.current()
        told = describe_deliveries(visits, CANCELLED) if act == "cancel" else {}
        lines = [f"{_line(one)}: {_outcome(one, act, told.get(one.pk, ''), clinic=clinic, now=now)}" for one in visits]
        # Django's admin requires at least one selected row. `seen` has every selected row with its version.
        hidden = [("action", action), ("confirmed", "1"), (ACTION_CHECKBOX_NAME, visits[0].pk if visits else "")]
        hidden.append(("seen", " ".join(f"{visit.pk}={visit.shown}" for visit in visits)))
        page = {"title": question, "lines": lines, "hidden": hidden, "action": "", "button": button}
        return self._confirm_page(request, {**page, "back": reverse("admin:booking_appointment_changelist")})

    def _say_too_many(self, request: HttpRequest) -> None:
        text = f"Choose at most {MOST_AT_ONCE} visits at a time. Nothing was done."
        self.message_user(request, text, messages.ERROR)

    def _confirm_page(self, request: HttpRequest, page: dict) -> TemplateResponse:
        return self.page_of_visits(request, "booking/admin_confirm.html", page)

    def page_of_visits(self, request: HttpRequest, template: str, page: dict[str, Any]) -> TemplateResponse:
        """Return a page of the admin of visits, other than those of Django's admin."""
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), "opts": self.opts, **page})

    @admin.action(description="Mark as arrived", permissions=["act"])
    def mark_as_arrived(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> TemplateResponse | None:
        texts = {"question": "Mark these visits as arrived?", "button": "Yes, mark as arrived"}
        return self._act_on_several(request, queryset, "arrived", action="mark_as_arrived", **texts)

    @admin.action(description="Mark as no-shows", permissions=["act"])
    def mark_as_no_show(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> TemplateResponse | None:
        texts = {"question": "Mark these visits as no-shows?", "button": "Yes, mark as no-shows"}
        return self._act_on_several(request, queryset, "no-show", action="mark_as_no_show", **texts)

    @admin.action(description="Cancel, and tell the patients", permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> TemplateResponse | None:
        texts = {"question": "Cancel these visits?", "button": "Yes, cancel them and tell the patients"}
        return self._act_on_several(request, queryset, "cancel", action="cancel", **texts)


def _format_done(visit: Appointment, outcome: str, told: str) -> SafeString:
    """Return the success message with a link to the visit, because its row may have left the list that was shown."""
    address = reverse("admin:booking_appointment_change", args=[visit.pk])
    whose = ", ".join(filter(None, (visit.patient.name if visit.patient else "", visit.reference)))
    return format_html('<a href="{}">{}</a> is {}.{}', address, whose, outcome, told)


def format_state(visit: Appointment) -> str:
    """Return a sentence with the state, time and therapist of a visit, freshly read from the database."""
    visit = Appointment.objects.select_related("therapist").get(pk=visit.pk)
    return f"It is {visit.get_status_display()} now: {local_time(visit.starts_at)}, with {visit.therapist}."


def _line(visit: Appointment) -> str:
    return (
        f"{visit.reference}, {visit.patient or 'a hold'}, {local_time(visit.starts_at).short}, {visit.therapist.name}"
    )


def _read_seen(sent: str) -> dict[uuid.UUID, str]:
    """Parse `seen` into the shown version of each visit, by the visit's key. Pairs with a malformed key are ignored."""
    seen = {}
    for key, is_pair, shown in (pair.partition("=") for pair in sent.split()):
        with suppress(ValueError):
            seen[uuid.UUID(key)] = shown if is_pair else ""
    return seen


def _outcome(visit: Appointment, act: str, told: str = "", *, clinic: Clinic, now: datetime) -> str:
    """Describe the effect of `act` on the visit and how its patient would be notified, or why nothing would change."""
    row, effect = OUTCOMES[act]
    try:
        state_after(visit, row, clinic=clinic, now=now)
    except BookingRefused as refusal:
        return f"nothing changes. {format_refusal(refusal)}"
    if not can_change(visit, row, clinic=clinic, now=now):
        return "nothing changes: this is done already"
    return f"{effect}. {told}" if told else effect
