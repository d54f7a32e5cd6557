"""The page on which patients choose their messages, behind an emailed link."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.outbox.messages.suppressions import is_unsubscribed, subscribe_again, unsubscribe
from clinic.outbox.texts.providers import has_texts
from clinic.outbox.texts.texting import consent_of, consent_text, give_consent, withdraw_consent
from clinic.practice.access.proof import Capability, patient_link, patient_of
from clinic.practice.models import Clinic, Patient
from clinic.practice.values.phone import texting_number
from clinic.responses.redirects import see_other

by_link = patient_link(Capability.CHOOSE_MESSAGES, load=patient_of, accepts=False)


@require_safe
@by_link
def messages(request: HttpRequest, token: str, patient: Patient, now: datetime) -> HttpResponse:
    """Show the patient's message choices."""
    return _show(request, token, patient)


@csrf_exempt  # mail clients post here without loading a page (RFC 8058); the link is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def stop(request: HttpRequest, token: str, patient: Patient, now: datetime) -> HttpResponse:
    """Unsubscribe from emails that are not about a visit. A GET only shows the page.

    Responds with 204 to a mail client, and redirects a browser to the page.
    """
    if request.method != "POST":
        return _show(request, token, patient)
    unsubscribe(patient=patient, now=now)
    if "List-Unsubscribe" in request.POST:
        return HttpResponse(status=204)
    return see_other(reverse("outbox:messages", args=[token]))


@require_POST
@by_link
def start(request: HttpRequest, token: str, patient: Patient, now: datetime) -> HttpResponse:
    """Undo unsubscribing."""
    subscribe_again(patient=patient)
    return see_other(reverse("outbox:messages", args=[token]))


@require_POST
@by_link
def texts(request: HttpRequest, token: str, patient: Patient, now: datetime) -> HttpResponse:
    """Give consent to texts, in the wording on the page, or withdraw it.

    Withdrawing it ends the consents of all patients with that number. 404 if texts are switched off or the
    patient's number cannot receive them.
    """
    if not has_texts() or not texting_number(patient.phone):
        raise Http404
    choice = request.POST.get("choice", "")
    if choice in ("both", "texts"):
        give_consent(patient=patient, wording=consent_text(patient), instead_of_email=choice == "texts", now=now)
    elif choice == "email":
        withdraw_consent(phone=patient.phone, now=now)
    return see_other(reverse("outbox:messages", args=[token]))


def _show(request: HttpRequest, token: str, patient: Patient) -> HttpResponse:
    context = {
        "clinic": Clinic.objects.current(),
        "token": token,
        "patient": patient,
        "is_unsubscribed": is_unsubscribed(patient),
    }
    if has_texts() and texting_number(patient.phone):
        consent = consent_of(patient)
        choice = "email" if consent is None else "texts" if consent.instead_of_email else "both"
        context |= {"text_choice": choice, "consent_text": consent_text(patient)}
    return render(request, "outbox/messages.html", context)
