"""Whom this browser books for: a signed cookie for two hours, set by a button behind a link from the patient's mailbox.

The cookie is as good as that link: once the link is withdrawn (the address was wrong, staff ended the patient's links), it
recognizes nobody.
"""

from django.http import HttpRequest, HttpResponse

from booking.actions.return_links import LINK_LASTS
from clinic.practice.access.proof import LinkRequest
from clinic.practice.models import Patient, PatientLink

COOKIE, SALT = "returning", "booking.returning.cookie"


def recognized_patient(request: HttpRequest) -> Patient | None:
    """The patient this browser was recognised as; no query without the cookie."""
    value = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=LINK_LASTS) or ""
    patient_id, _, link_id = value.partition(" ")
    if not link_id or not PatientLink.objects.filter(pk=link_id, revoked_at=None).exists():
        return None
    return Patient.objects.filter(pk=patient_id).first()


def remember_patient(request: LinkRequest, response: HttpResponse, patient: Patient) -> HttpResponse:
    """Let the browser keep for whom it books, by `request.link`; the signature keeps it from being made up."""
    response.set_signed_cookie(
        COOKIE,
        f"{patient.pk} {request.link.pk}",
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
