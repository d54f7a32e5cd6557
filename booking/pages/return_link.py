"""Pages for returning patients: request a link by email, and book with it without typing their details again."""

from datetime import datetime
from uuid import UUID

from django.core.validators import slug_re
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from booking.actions.hold import is_live
from booking.actions.return_links import patients_at, request_return_link
from booking.browser.own_hold import held_path, own_hold
from booking.browser.recognized import forget_patient, remember_patient
from booking.forms.contact import ReturningForm
from booking.limits.over_limit import slow_down
from booking.models import Appointment, Service
from booking.presenters.visit import visit_link
from clinic.practice.access.links import use_up
from clinic.practice.access.networks import network_of
from clinic.practice.access.proof import Capability, LinkRequest, patient_link, patient_of
from clinic.practice.models import Patient
from clinic.practice.people.patients import accept_patient
from clinic.responses.redirects import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for an email address. A POST requests a link, which is emailed only if a patient has that address.

    The link leads to the service whose slug is in `?for=`. The response is the same for known and unknown addresses.
    """
    now, service = timezone.now(), _service_with(slug=_slug_of(request.GET.get("for", "")))
    form = ReturningForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "booking/returning.html", {"form": form}, status=422 if form.is_bound else 200)
    email = form.cleaned_data["email"]
    verdict = request_return_link(email=email, network=network_of(request), service=service, now=now)
    if verdict.is_over:
        return slow_down(request, "booking/returning.html", {"form": form}, verdict, now)
    return see_other(reverse("booking:return_asked"))


@require_http_methods(["GET", "HEAD"])
@never_cache
def asked(request: HttpRequest) -> HttpResponse:
    """Show the page after a request. It says that a link was emailed if the address is known."""
    return render(request, "booking/returning.html", {"is_sent": True})


@require_http_methods(["GET", "HEAD", "POST"])
@patient_link(Capability.COME_BACK, load=patient_of, accepts=False)
def welcome_back(request: LinkRequest, token: str, patient: Patient, now: datetime) -> HttpResponse:
    """List the patients who have this email address. A POST remembers the chosen one, and accepts a provisional one.

    The link works for one POST. GET does not use it up, since mail scanners open every link.

    The POST redirects to the form of the browser's live hold, else to the service whose id is in `?for=`, else to the
    services. Raises Http404 if the chosen patient is not in the list.
    """
    service = _service_with(pk=_key_of(request.GET.get("for", "")))
    patients = patients_at(patient.email)
    if request.method != "POST":
        context = {"patients": patients, "token": token, "query": f"?for={service.pk.hex}" if service else ""}
        return render(request, "booking/welcome_back.html", context)
    chosen = next((one for one in patients if str(one.pk) == request.POST.get("patient")), None)
    if chosen is None:
        raise Http404
    use_up(request.link, now=now)
    return remember_patient(request, _on_to_booking(request, now, service), accept_patient(chosen, now=now))


@require_POST
@visit_link(Capability.BOOK_AGAIN)
def again(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Start another booking for this visit's patient. The visit's emailed link is the proof of identity."""
    return remember_patient(request, _on_to_booking(request, now), appointment.booked_patient)


@require_POST
@never_cache
def not_me(request: HttpRequest) -> HttpResponse:
    """Forget the patient that this browser books for. Redirect to the form of its live hold, else to the services."""
    return forget_patient(_on_to_booking(request, timezone.now()))


def _on_to_booking(request: HttpRequest, now: datetime, service: Service | None = None) -> HttpResponse:
    """Redirect to the form of the browser's live hold, else to the days of `service`, else to the services."""
    held = own_hold(request)
    start = reverse("booking:days", args=[service.slug]) if service else reverse("booking:services")
    path = held_path(held) if held is not None and is_live(held, now=now) else start
    return see_other(path)


def _service_with(**key: str | UUID | None) -> Service | None:
    """Find a listed service by `key`. None if the key is empty or unknown."""
    return Service.objects.listed().filter(**key).first() if all(key.values()) else None


def _slug_of(text: str) -> str:
    return text if slug_re.match(text) else ""  # a NUL would make Postgres raise DataError


def _key_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
