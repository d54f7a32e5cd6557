"""Pages that correct a visit's email address, or send its email again.

The holder of a revoked link can also request the email, which has a new link.
"""

from contextlib import suppress
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from booking.actions.correct_address import correct_address, send_mail_again
from booking.forms.contact import AddressForm
from booking.limits.over_limit import correction_over_budget, is_copy_over_budget
from booking.limits.spending import spend_copy
from booking.models import Appointment
from booking.presenters.visit import visit_context, visit_link
from booking.schedule.errors import AddressProven, MailOnItsWay, TooLateToChange
from clinic.outbox.messages.planning import MessageNotSettled, TooLateToSend
from clinic.practice.access.links import LinkExpired, open_link
from clinic.practice.access.networks import network_of
from clinic.practice.access.proof import Capability, LinkRequest, declares
from clinic.practice.models import PatientLink
from clinic.responses.headers import private_page
from clinic.responses.redirects import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@visit_link(Capability.CORRECT_ADDRESS, accepts=False)
def address(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Correct the email address of an upcoming visit whose patient is still provisional. Otherwise respond 409.

    Also respond 409 to a reader with an emailed link, since the email reached the address.
    """
    context = visit_context(request, appointment, now)
    if not context["can_correct"]:
        return render(request, "booking/address.html", context, status=409)
    form = AddressForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "booking/address.html", {**context, "form": form}, status=422 if form.errors else 200)
    if page := correction_over_budget(request, token, appointment, now, email=form.cleaned_data["email"]):
        return page
    try:
        correct_address(appointment=appointment, email=form.cleaned_data["email"], now=now)
    except (AddressProven, TooLateToChange):
        return render(request, "booking/address.html", {**context, "can_correct": False}, status=409)
    return see_other(reverse("booking:visit", args=[token]))


@require_POST
@visit_link(Capability.ASK_FOR_MAIL, accepts=False)
def mail_again(request: LinkRequest, token: str, appointment: Appointment, now: datetime) -> HttpResponse:
    """Send the visit's email again. Respond 409 if that is refused, for example while a copy is pending."""
    state = "sent"
    try:
        if is_copy_over_budget(request, appointment, now):
            raise MailOnItsWay
        send_mail_again(appointment=appointment, now=now)
    except (MailOnItsWay, MessageNotSettled, TooLateToSend):
        state = "not_again"
    context = {**visit_context(request, appointment, now), "mail_state": state}
    return render(request, "booking/visit.html", context, status=200 if state == "sent" else 409)


@require_POST
@private_page
@declares(Capability.ASK_FOR_MAIL)
def newest_link(request: HttpRequest, token: str) -> HttpResponse:
    """Send the newest confirmation of a visit to the address on file, for a reader whose link to it was revoked.

    The response is the same whether an email is sent, one is pending, or the visit is over, so it reveals nothing. If
    the link is valid, redirect to the visit. Raises LinkUnknown.
    """
    now = timezone.now()
    try:
        open_link(token=token, purpose=Capability.ASK_FOR_MAIL.purpose, now=now)
    except LinkExpired as expired:
        if expired.link.revoked_at is not None:
            _mail_newest_link(request, expired.link, now)
    else:  # the link is valid again, for example after a move was undone
        return see_other(reverse("booking:visit", args=[token]))
    return render(request, "booking/newest_link.html")


def _mail_newest_link(request: HttpRequest, link: PatientLink, now: datetime) -> None:
    """Send the email if it is possible within the rate limits for strangers, since a revoked link proves nothing."""
    appointment = (
        Appointment.objects.select_related("patient").filter(pk=link.subject_id, patient=link.patient_id).first()
    )
    if appointment is None or not appointment.booked_patient.email:
        return
    if spend_copy(appointment=appointment, network=network_of(request), now=now).is_over:
        return
    with suppress(MailOnItsWay, MessageNotSettled, TooLateToSend):
        send_mail_again(appointment=appointment, now=now)
