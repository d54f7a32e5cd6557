"""For who has been here before: ask for a link, come back by it, and need not type everything again."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from booking.forms import ReturningForm
from booking.holds import is_live
from booking.models import Appointment
from booking.returning import patients_at, request_return_link
from booking.views.manage import visit_page
from booking.views.over_budget import slow_down
from booking.views.own_hold import held_path, own_hold
from booking.views.recognised import forget_patient, remember_patient
from clinic.practice.models import Patient
from clinic.practice.networks import network_of
from clinic.practice.patients import accept_patient
from clinic.practice.proof import Capability, patient_page


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the link. The answer is the same for every address."""
    now = timezone.now()
    form = ReturningForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "booking/returning.html", {"form": form}, status=422 if form.is_bound else 200)
    verdict = request_return_link(email=form.cleaned_data["email"], network=network_of(request), now=now)
    if verdict.is_over:
        return slow_down(request, "booking/returning.html", {"form": form}, verdict, now)
    return HttpResponseRedirect(reverse("booking:return_asked"), status=303)


@require_http_methods(["GET", "HEAD"])
@never_cache
def asked(request: HttpRequest) -> HttpResponse:
    """Where the mail will be, if there is one."""
    return render(request, "booking/returning.html", {"is_sent": True})


@require_http_methods(["GET", "HEAD", "POST"])
@patient_page(Capability.COME_BACK, load=lambda link: link.patient, accepts=False)
def welcome_back(request: HttpRequest, token: str, patient: Patient, now: datetime) -> HttpResponse:
    """Everyone who uses the mailbox; a button says which of them books. Opening it changes nothing."""
    patients = patients_at(patient.email)
    if request.method != "POST":
        return render(request, "booking/welcome_back.html", {"patients": patients, "token": token})
    chosen = next((one for one in patients if str(one.pk) == request.POST.get("patient")), None)
    if chosen is None:
        raise Http404
    return remember_patient(request, _on_to_booking(request, now), accept_patient(chosen, now=now))


@require_POST
@visit_page(Capability.BOOK_AGAIN)
def again(request: HttpRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Book another visit from the page of one: the mailed link vouches for who it is."""
    return remember_patient(request, _on_to_booking(request, now), appointment.patient)


@require_POST
@never_cache
def somebody_else(request: HttpRequest) -> HttpResponse:
    """Back to the plain form."""
    return forget_patient(_on_to_booking(request, timezone.now()))


def _on_to_booking(request: HttpRequest, now: datetime) -> HttpResponse:
    """To the form of the time that this browser keeps, or to the start."""
    held = own_hold(request)
    path = held_path(held) if held is not None and is_live(held, now=now) else reverse("booking:services")
    return HttpResponseRedirect(path, status=303)
