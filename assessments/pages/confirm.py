"""The identity check before stored answers are shown: an emailed code, or the birth date on file."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from assessments.forms.confirm import BirthDateForm, ConfirmForm
from assessments.models import Response
from assessments.presenters.opening import find_response
from clinic.outbox.message_kinds.confirmation_code import send_code
from clinic.practice.access.confirmation import CODE_LASTS, CONFIRMED_FOR, confirm
from clinic.practice.access.proof import Capability, LinkRequest, has_proof, patient_link
from clinic.practice.access.rate_limits import BIRTH_DATES, CODES, OWN_CODES, spend
from clinic.practice.models import Proof
from clinic.practice.values.mail_addresses import readable_address
from clinic.responses.redirects import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@patient_link(Capability.CONFIRM, load=find_response)
def confirm_identity(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    """Ask for a code or a birth date, then redirect to the requested page or to the summary of the answers."""
    if has_proof(request, Capability.SEE_ANSWERS, now=now):
        return see_other(_page_after(request, token, response))
    action = request.POST.get("action")
    if action == "send":
        return _send(request, token, response, now)
    if action == "birth" and response.patient.birth_on:
        return _try_birth_date(request, token, response, now)
    form = ConfirmForm(request.POST if action == "confirm" else None, patient=response.patient, now=now)
    if form.is_bound and form.is_valid():
        confirm(request.session, patient=response.patient, now=now)
        return see_other(_page_after(request, token, response))
    return _show(request, token, response, form=form, status=422 if form.errors else 200)


def _send(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    limit = OWN_CODES if request.proof >= Proof.MAILED else CODES
    verdict = spend((limit, response.patient.email), now=now)
    if verdict.is_over:
        form = ConfirmForm(None, patient=response.patient, now=now)
        page = _show(request, token, response, form=form, is_too_many=True, status=429)
        page["Retry-After"] = verdict.seconds_left(now=now)
        return page
    send_code(patient=response.patient, now=now)
    query = urlencode({"page": request.POST.get("page", ""), "sent": "1"})
    return see_other(f"{reverse('assessments:confirm', args=[token])}?{query}")


def _try_birth_date(request: LinkRequest, token: str, response: Response, now: datetime) -> HttpResponse:
    birth_form = BirthDateForm(request.POST, patient=response.patient)
    verdict = spend((BIRTH_DATES, response.patient.pk), now=now)
    if not verdict.is_over and birth_form.is_valid():
        confirm(request.session, patient=response.patient, now=now)
        return see_other(_page_after(request, token, response))
    form = ConfirmForm(None, patient=response.patient, now=now)
    if not verdict.is_over:
        return _show(request, token, response, form=form, birth_form=birth_form, status=422)
    page = _show(request, token, response, form=form, birth_form=None, is_birth_over=True, status=429)
    page["Retry-After"] = verdict.seconds_left(now=now)
    return page


def _show(
    request: LinkRequest, token: str, response: Response, *, form: ConfirmForm, status: int = 200, **more: Any
) -> HttpResponse:
    patient, is_mailed = response.patient, request.proof >= Proof.MAILED
    context = {
        "token": token,
        "response": response,
        "form": form,
        "page_id": _asked_page(request),
        "birth_form": BirthDateForm(patient=patient) if patient.birth_on else None,
        "is_sent": "sent" in request.GET and not more.get("is_too_many"),
        "has_code": "have" in request.GET or request.POST.get("action") == "confirm",
        "saved": request.GET.get("saved", ""),
        "address": readable_address(patient.email) if is_mailed or patient.is_provisional else "",
        "code_minutes": CODE_LASTS // timedelta(minutes=1),
        "confirmed_minutes": CONFIRMED_FOR // timedelta(minutes=1),
        **more,
    }
    return render(request, "assessments/confirm.html", context, status=status)


def _asked_page(request: LinkRequest) -> str:
    return request.POST.get("page", request.GET.get("page", ""))


def _page_after(request: LinkRequest, token: str, response: Response) -> str:
    """Return the URL of the requested page if the questionnaire has it, else of the summary."""
    pages = {page.link_id for page in response.questionnaire.parsed.pages}
    if (page := _asked_page(request)) in pages:
        return reverse("assessments:page", args=[token, page])
    return reverse("assessments:check", args=[token])
