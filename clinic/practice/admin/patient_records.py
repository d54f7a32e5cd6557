"""The admin's pages that export, merge and erase a patient's record: plain views, for `admin_site.admin_view`."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from clinic.audit.access import record_read
from clinic.practice.access.staff import staff_of
from clinic.practice.models import Patient, User
from clinic.practice.people.merging import MergeRefused, merge_patients
from clinic.practice.people.records import erase_patient, export_patient, holdings_seen, require_erasable
from clinic.practice.registry.holdings import ErasureRefused, NotNeeded, holdings
from clinic.practice.registry.rights import may_see
from clinic.practice.values.dates import format_day
from clinic.practice.values.phone import format_phone
from clinic.responses.redirects import see_other

FILE_NAME = "patient-record.json"  # names no patient: it may be seen in the browser's list of downloads


@require_POST
def export_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Download what the user may see of a patient, as one JSON file. Raises PermissionDenied, Http404."""
    user = _require(request, "practice.export_patient")
    exported = export_patient(_find(pk), by=user, now=timezone.now())
    text = json.dumps(exported, ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    response["Cache-Control"] = "no-store, private"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def erase_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List what erasing a patient's record removes and keeps. A POST erases it. Raises PermissionDenied, Http404."""
    user, patient, now = _require(request, "practice.erase_patient"), _find(pk), timezone.now()
    try:
        if request.method == "POST":
            erase_patient(patient, by=user, now=now)
            for name in ("searches", "_messages"):  # of this request's session, which is saved after the erasure
                request.session.pop(name, None)
            messages.success(request, "The record is erased.")
            return see_other(reverse("admin:practice_patient_changelist"))
        require_erasable(patient, now=now)
        refusal = ""
    except ErasureRefused as refused:
        refusal = str(refused)
    context = {
        "title": "Erase this record",
        "patient": patient,
        "refusal": refusal,
        "goes": [(one.title, one.goes) for one in reversed(holdings()) if one.goes],
        "stays": [(one.title, sorted(one.stays.values())) for one in reversed(holdings()) if one.stays],
    }
    return _page(request, "practice/admin_erase.html", context, shown=[patient], is_refused=request.method == "POST")


@require_http_methods(["GET", "HEAD", "POST"])
def merge_page(request: HttpRequest, pk: UUID, other: UUID) -> HttpResponse:
    """Show two records side by side. A POST with `keep`, the ID of one, merges the other into it.

    Raises PermissionDenied, Http404.
    """
    user, both, refusal = _require(request, "practice.merge_patient"), (_find(pk), _find(other)), ""
    if request.method == "POST":
        kept = [one for one in both if str(one.pk) == request.POST.get("keep")]
        try:
            if not kept:
                raise MergeRefused("Choose the record to keep.")
            [source] = [one for one in both if one != kept[0]] or [kept[0]]
            left = merge_patients(source, kept[0], by=user, now=timezone.now())
        except MergeRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, "The two records are one now.")
            for sentence in left:
                messages.warning(request, sentence)
            return see_other(reverse("admin:practice_patient_change", args=[kept[0].pk]))
    context = {
        "title": "Is this the same person?",
        "both": both,
        "keepable": [one for one in both if not one.is_provisional or all(row.is_provisional for row in both)],
        "refusal": refusal,
        "rows": [*_details(both), *_counts(both, by=user)],
    }
    return _page(request, "practice/admin_merge.html", context, shown=both, is_refused=bool(refusal))


def _require(request: HttpRequest, permission: str) -> User:
    """Return the user, who must also have the right to view patients. Raises PermissionDenied."""
    user = staff_of(request)
    if not (user.has_perm(permission) and may_see(user, ["practice.view_patient"])):
        raise PermissionDenied
    return user


def _find(pk: UUID) -> Patient:
    return get_object_or_404(Patient.objects.current(), pk=pk)


def _details(both: tuple[Patient, ...]) -> list[tuple[str, list[str]]]:
    today = timezone.localdate()
    return [
        ("Email", [one.email for one in both]),
        ("Phone", [format_phone(one.phone) if one.phone else "" for one in both]),
        ("Date of birth", [format_day(one.birth_on, today=today) if one.birth_on else "" for one in both]),
        ("Confirmed", ["no" if one.is_provisional else "yes" for one in both]),
        ("Added", [format_day(timezone.localdate(one.created_at), today=today) for one in both]),
    ]


def _counts(both: tuple[Patient, ...], *, by: User) -> list[tuple[str, list[str]]]:
    """Return how many rows of each kind move, of the kinds that `by` may see."""
    moving = [one for one in reversed(holdings_seen(by)) if not isinstance(one.repoint, NotNeeded)]
    return [
        (holding.title.capitalize(), [str(holding.find([one]).count()) for one in both])
        for holding in moving
        if holding.model is not Patient
    ]


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, shown: Any, is_refused: bool
) -> TemplateResponse:
    ids = [patient.pk for patient in shown]
    record_read(actor=request.user, subject=shown[0], patient_ids=ids, now=timezone.now())
    request.current_app = admin.site.name
    page = {**admin.site.each_context(request), "opts": Patient._meta, **context}
    return TemplateResponse(request, template, page, status=409 if is_refused else 200)
