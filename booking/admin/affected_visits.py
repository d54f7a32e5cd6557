"""Confirmation of saves (hours, services, therapists, the clinic) that would put visits outside the schedule."""

from django.contrib import admin
from django.contrib.messages.storage import default_storage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from booking.admin.times import local_time
from booking.models import Appointment
from booking.schedule.errors import BusyTryAgain
from booking.schedule.locking import locked_schedules
from booking.schedule.off_schedule import OffSchedule, visits_off_schedule
from clinic.practice.models import Therapist
from clinic.practice.saving.guarded_saving import View

SEEN = "affected_visits_seen"  # the form field with the fingerprint of the visits that were shown
MOST_LISTED = 100


def ask_about_visits(request: HttpRequest, view: View) -> HttpResponse:
    """Call `view`. If its save puts visits outside the schedule, roll the save back and ask for confirmation.

    All schedules are locked, so that no visit is booked between the check and the commit. If the affected visits
    differ from those confirmed, ask again. Respond 503 on a lock timeout.
    """
    now, is_busy, affected = timezone.now(), False, []
    try:
        with locked_schedules(Therapist.objects.values_list("pk", flat=True)):
            known = {one.visit.pk for one in visits_off_schedule(now=now)}
            response = view()
            affected = [one for one in visits_off_schedule(now=now) if one.visit.pk not in known]
            if not affected or _is_confirmed(request, affected):
                return response
            transaction.set_rollback(True)
    except BusyTryAgain:
        is_busy = True
    # Drop the message "was changed successfully". MessageMiddleware sets this attribute, which the type stubs lack.
    request._messages = default_storage(request)  # type: ignore[attr-defined]
    return _question(request, affected, is_busy=is_busy)


def _question(request: HttpRequest, affected: list[OffSchedule], *, is_busy: bool) -> HttpResponse:
    may_see = admin.site.get_model_admin(Appointment).has_view_permission(request)
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    context = {
        **admin.site.each_context(request),
        "title": "Please try again" if is_busy else "Visits are affected",
        "count": len(affected),
        "rows": [_row(one) for one in affected[:MOST_LISTED]] if may_see else [],
        "more": max(len(affected) - MOST_LISTED, 0) if may_see else 0,
        "fields": [(name, value) for name, value in fields if name not in (SEEN, "csrfmiddlewaretoken")],
        "seen_name": SEEN,
        "seen": _fingerprint(affected),
        "is_busy": is_busy,
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "booking/admin_affected_visits.html", context, status=503 if is_busy else 200)


def _row(one: OffSchedule) -> dict:
    return {"visit": one.visit, "time": local_time(one.visit.starts_at), "sentences": one.sentences}


def _is_confirmed(request: HttpRequest, affected: list[OffSchedule]) -> bool:
    return constant_time_compare(request.POST.get(SEEN, ""), _fingerprint(affected))


def _fingerprint(affected: list[OffSchedule]) -> str:
    keys = sorted(f"{one.visit.pk} {one.visit.starts_at.timestamp()} {' '.join(one.reasons)}" for one in affected)
    return salted_hmac("booking.affected_visits", "\n".join(keys), algorithm="sha256").hexdigest()
