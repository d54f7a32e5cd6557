"""The page of a slot offer, where a patient sees the freed time and takes it.

The first patient to take it gets it. Patients who were offered the same time and come later remain on the wait list.
"""

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from booking.actions.offers import require_open, take_offer
from booking.forms.version import read_version
from booking.models import SlotOffer
from booking.schedule.clocks import visit_time
from booking.schedule.errors import BookingRefused, BusyTryAgain, VisitChanged
from booking.schedule.visit_links import visit_path
from booking.wait_list.offer_text import offer_values
from clinic.practice.access.proof import Capability, LinkRequest, patient_link
from clinic.practice.models import Clinic, PatientLink, Proof
from clinic.responses.redirects import see_other


def _find_offer(link: PatientLink) -> SlotOffer | None:
    offers = SlotOffer.objects.select_related("therapist", "entry__service", "entry__patient")
    return offers.filter(pk=link.subject_id, entry__patient=link.patient_id).first()


@require_http_methods(["GET", "HEAD", "POST"])
@patient_link(Capability.TAKE_OFFER, load=_find_offer)
def offer(request: LinkRequest, token: str, offer: SlotOffer, now: datetime) -> HttpResponse:
    """Show the offer. A POST takes it, in one transaction."""
    return _take(request, offer, now) if request.method == "POST" else _show(request, offer, now)


def _show(
    request: LinkRequest, offer: SlotOffer, now: datetime, *, is_busy: bool = False, is_stale: bool = False
) -> HttpResponse:
    clinic = Clinic.objects.current()
    values = offer_values(offer, clinic=clinic, now=now)
    context = {**values, "offer": offer, "service": offer.entry.service, "is_busy": is_busy, "is_stale": is_stale}
    if offer.taken_at is not None:
        return render(request, "booking/offer_freed.html", {**context, "is_theirs": True})
    try:
        visit = require_open(offer, clinic=clinic, now=now)
    except BookingRefused:
        is_waiting = offer.entry.status == offer.entry.Status.WAITING
        page = {**context, "is_gone": True, "is_waiting": is_waiting}
        return render(request, "booking/offer_freed.html", page, status=409 if request.method == "POST" else 410)
    context |= {"visit_time": visit_time(visit, clinic) if visit else None, "visit": visit}
    context["agreed"] = visit or offer.entry.service  # a move keeps the visit's length and price
    status = 503 if is_busy else 409 if is_stale else 200
    return render(request, "booking/offer_freed.html", context, status=status)


def _take(request: LinkRequest, offer: SlotOffer, now: datetime) -> HttpResponse:
    try:
        visit = take_offer(offer=offer, version=read_version(request.POST.get("version", "")), now=now)
    except VisitChanged:
        return _show(request, offer, now, is_stale=True)
    except BusyTryAgain:
        return _show(request, offer, now, is_busy=True)
    except BookingRefused:
        offer.refresh_from_db()
        return _show(request, offer, now)
    is_theirs = visit.patient_id == request.link.patient_id  # the visit can belong to a provisional row of the patient
    proof = request.proof if is_theirs else Proof.SHOWN
    return see_other(visit_path(visit, proof=proof, now=now))
