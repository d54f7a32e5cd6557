"""The signed cookie for the patient that this browser books for, set by a POST from the page of an emailed link.

The cookie is invalid once that link is revoked, for example because the address was wrong, the visit of the link was
moved, or staff revoked the patient's links.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from booking.actions.return_links import LINK_LASTS
from clinic.audit.reading import note_link
from clinic.practice.access.proof import LinkRequest
from clinic.practice.models import Patient, PatientLink

COOKIE, SALT = settings.COOKIE_PREFIX + "returning", "booking.returning.cookie"


def recognized_patient(request: HttpRequest) -> Patient | None:
    """Find the patient of the cookie, or the one into whom that patient was merged.

    None without a valid cookie (no query), or if its link was revoked.
    """
    value = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=LINK_LASTS) or ""
    patient_id, _, link_id = value.partition(" ")
    if not link_id or not PatientLink.objects.filter(pk=link_id, revoked_at=None).exists():
        return None
    note_link()
    patient = Patient.objects.select_related("merged_into").filter(pk=patient_id).first()
    return patient and (patient.merged_into or patient)


def remember_patient(request: LinkRequest, response: HttpResponse, patient: Patient) -> HttpResponse:
    """Set the cookie for `patient`, bound to `request.link`."""
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
    """Delete the cookie."""
    response.delete_cookie(COOKIE, samesite="Lax")
    return response
