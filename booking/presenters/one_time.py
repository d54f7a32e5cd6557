"""Code shared by the pages about one start time: the offer, the booking, and the page for a time that is not free."""

import uuid
from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from assessments.intake.screening import forget_screen, is_screen_kept, read_screen, screen_pages
from assessments.presenters.opening import note_sitting
from booking.actions.book import BookingRequest, book_appointment
from booking.actions.hold import hold_token as token_of
from booking.actions.hold import release_hold
from booking.browser.booking_choices import read_choices
from booking.browser.own_hold import own_hold, own_hold_context, own_hold_of, to_own_hold
from booking.browser.own_past import booked_here, remember_booking
from booking.browser.recognized import recognized_patient
from booking.forms.details import DetailsForm
from booking.limits.over_limit import booking_over_budget
from booking.models import Appointment, Service
from booking.presenters.choosing import zone_context
from booking.presenters.entry import follow_up_page
from booking.presenters.free_times import time_row
from booking.presenters.visit import own_visit_context
from booking.schedule.availability import nearest_free_slots, next_free_slots
from booking.schedule.errors import (
    BusyTryAgain,
    NeedsEarlierVisit,
    NotOfferedBecause,
    SlotNotOffered,
    SlotTaken,
    TermsChanged,
)
from booking.schedule.local_time import format_minor_note
from booking.schedule.rules import GRACE, change_deadline, require_free
from booking.schedule.slots import Slot
from booking.schedule.visit_links import visit_path
from clinic.practice.models import Clinic, Proof, Therapist
from clinic.responses.redirects import see_other

OTHER_TIMES = 6


def details_context(request: HttpRequest, slug: str, therapist_slug: str, starts_at: datetime, now: datetime) -> dict:
    """Return the template context of a page about one time.

    Raises Http404 if the service is unknown or hidden, or the therapist is unknown or inactive.
    """
    clinic = Clinic.objects.current()
    service = get_object_or_404(Service.objects.listed(), slug=slug)
    therapist = get_object_or_404(Therapist.objects.active(), slug=therapist_slug)
    choices = read_choices(request, now=now)
    zones = zone_context(service, clinic, choices)
    clock = zones["clock"]
    deadline = change_deadline(starts_at=starts_at, booked_at=now, clinic=clinic)
    return {
        "change_until": clock.time(deadline),
        "is_soon": deadline <= now + GRACE,
        "grace_minutes": GRACE // timedelta(minutes=1),
        "service": service,
        "agreed": service,
        "minor_note": format_minor_note(service.modes),
        "therapist": therapist,
        "starts_at": starts_at,
        "slot": Slot(service, therapist, starts_at),
        "time": clock.time(starts_at),
        "time_beside": clock.format_beside(starts_at),
        "clinic": clinic,
        "choices": choices,
        "step": 4,
        "hold_key": uuid.uuid4(),
        **zones,
    }


def offer_time(request: HttpRequest, context: dict, now: datetime, *, was_held: dict | None = None) -> HttpResponse:
    """Show the button that holds the time, or why it is not free. If this browser holds the time, redirect to the form.

    `was_held` is the reason why an earlier hold has ended (`why_not_held`). It disables the redirect.
    """
    if not was_held and (page := to_own_hold(request, context, now)):
        return page
    try:
        require_free(slot=context["slot"], mode=context["service"].modes[0].name, clinic=context["clinic"], now=now)
    except (SlotTaken, SlotNotOffered) as refusal:
        return time_not_free(request, context, refusal, form=None, now=now)
    shown = {**context, "was_held": was_held}
    return render(request, "booking/offer.html", shown, status=410 if was_held else 200)


def book(request: HttpRequest, context: dict, now: datetime, *, hold_token: str = "") -> HttpResponse:
    """Book with the submitted form, and redirect to the visit. If it is refused, show the form again as typed.

    A follow-up without an earlier visit is refused with the page about follow-ups.
    """
    service, clinic = context["service"], context["clinic"]
    form = DetailsForm(request.POST, service=service, clinic=clinic, patient=recognized_patient(request))
    if not form.is_valid():
        return render(request, "booking/details.html", {**context, "form": form}, status=422)
    if page := booking_over_budget(request, form, context, now):
        return page
    booking = _booking_of(request, context, form, now, hold_token=hold_token)
    try:
        appointment = book_appointment(booking=booking, now=now)
    except NeedsEarlierVisit:
        return follow_up_page(request, service, context["choices"])
    except TermsChanged as refusal:
        form.show_terms(refusal.terms.fingerprint)
        shown = {**context, "form": form, "agreed": refusal.terms, "has_new_terms": True}
        return render(request, "booking/details.html", shown, status=409)
    except BusyTryAgain:
        return render(request, "booking/details.html", {**context, "form": form, "is_busy": True}, status=503)
    except (SlotTaken, SlotNotOffered) as refusal:
        return time_not_free(request, context, refusal, form=form, now=now)
    return _after_booking(request, booking, appointment, now)


def _booking_of(
    request: HttpRequest, context: dict, form: DetailsForm, now: datetime, *, hold_token: str
) -> BookingRequest:
    """Return the booking request of a valid form, with `hold_token` and the answers to the safety questions.

    Without `hold_token`, use this browser's hold of the time, if any.
    """
    if not hold_token and (own := own_hold_of(request, context, now)):
        hold_token = token_of(own)
    typed, choices = form.cleaned_data, context["choices"]
    return BookingRequest(
        slot=context["slot"],
        mode=typed["mode"],
        contact=form.contact(time_zone="" if context["service"].is_only_by_clinics_clock else choices.zone_name),
        idempotency_key=typed["idempotency_key"],
        source_article=choices.article,
        hold_token=hold_token,
        screen=read_screen(request.session),
        terms_seen=typed["terms_seen"],
    )


def _after_booking(
    request: HttpRequest, booking: BookingRequest, appointment: Appointment, now: datetime
) -> HttpResponse:
    """Release the browser's other hold, forget its safety answers, remember the booking, and redirect to the visit.

    For a new booking, the answers are forgotten only if they were stored.
    """
    screen, known = booking.screen, booking.contact.patient
    if (left := own_hold(request)) is not None:
        release_hold(left)  # a hold of another time: the one that was booked is a visit now
    is_new = appointment.created_at == now  # otherwise the form was sent before, perhaps by another visitor
    if not is_new or is_screen_kept(screen=screen, patient=appointment.booked_patient, now=now):
        forget_screen(request.session)
    if is_new and screen is not None and appointment.intake is not None:
        for answered in screen_pages(appointment.intake.questionnaire):
            note_sitting(request.session, appointment.intake, answered, now=now)
    is_proven = known is not None and known.pk == appointment.patient_id
    path = visit_path(appointment, proof=Proof.MAILED if is_proven else Proof.SHOWN, now=now)
    return remember_booking(request, see_other(path), path)


def time_not_free(
    request: HttpRequest, context: dict, refusal: SlotTaken | SlotNotOffered, *, form: DetailsForm | None, now: datetime
) -> HttpResponse:
    """Show that a time is not free, with the nearest free times and the `form` as typed, if any.

    Without a form, if this browser booked the time, show that visit instead. Raises Http404 if the service cannot be
    booked with this therapist.
    """
    reason = getattr(refusal, "reason", None)
    if reason == NotOfferedBecause.SERVICE or NotOfferedBecause.SERVICE in getattr(refusal, "reasons", ()):
        raise Http404
    context = {**context, "booked_here": booked_here(request, context, now=now)}
    if form is None and context["booked_here"]:
        return render(request, "booking/held_booked.html", context, status=409)
    service, clinic, clock = context["service"], context["clinic"], context["clock"]
    wanted = max(context["starts_at"], now)
    asked = {"service": service, "limit": OTHER_TIMES, "clinic": clinic, "patient": recognized_patient(request)}
    slots = nearest_free_slots(**asked, to=wanted, now=now) or next_free_slots(**asked, now=now)
    others = [time_row(slot, clock) for slot in slots]
    page = {**context, "form": form, "others": others, "reason": reason, "is_past": context["starts_at"] <= now}
    page |= own_visit_context(refusal, clinic)
    page |= own_hold_context(request, service, clock, now)
    return render(request, "booking/time_gone.html", page, status=_refusal_status(reason, is_sent=form is not None))


def _refusal_status(reason: NotOfferedBecause | None, *, is_sent: bool) -> int:
    if is_sent or reason in (None, NotOfferedBecause.CAP):
        return 409  # the form conflicts with the schedule
    return 410 if reason == NotOfferedBecause.NOTICE else 404
