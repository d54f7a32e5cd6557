"""Whom this browser books for: a signed cookie for two hours, set by a button behind a link from the patient's mailbox."""

from django.http import HttpRequest, HttpResponse

from booking.returning import LINK_LASTS
from clinic.practice.models import Patient

COOKIE, SALT = "returning", "booking.returning.cookie"


def recognised_patient(request: HttpRequest) -> Patient | None:
    """The patient this browser was recognised as; no query without the cookie."""
    key = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=LINK_LASTS)
    return Patient.objects.filter(pk=key).first() if key else None


def remember_patient(request: HttpRequest, response: HttpResponse, patient: Patient) -> HttpResponse:
    """Let the browser keep for whom it books; readable by us alone."""
    response.set_signed_cookie(
        COOKIE,
        str(patient.pk),
        salt=SALT,
        max_age=LINK_LASTS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def forget_patient(response: HttpResponse) -> HttpResponse:
    """Book as anybody again."""
    response.delete_cookie(COOKIE, samesite="Lax")
    return response
