"""Every page behind a patient's link, and how tests open it."""

from datetime import timedelta

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from booking.models import SlotOffer
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose
from tests.world import NOW

# URLs with a token that is not a patient's. A hold belongs to a browser, a calendar feed to a therapist, and a confirmed
# address to a mailbox, whose owner need not be a patient. A staff link belongs to an account.
NOT_A_PATIENTS = {
    "booking:held",
    "booking:renew_hold",
    "booking:release_hold",
    "booking:feed",
    "booking:confirm_address",
    "staff_link",
}


def pages(resolver=None, namespace=""):
    """Yield (name, view) of every URL with a token, outside the admin."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                yield from pages(entry, inner)
        elif isinstance(entry, URLPattern) and "token" in entry.pattern.converters:
            yield f"{namespace}{entry.name}", entry.callback


PATIENT_PAGES = {name: view for name, view in pages() if name not in NOT_A_PATIENTS}


def subject_of(purpose, visit):
    entry = visit.patient.wait_list_entries.get()
    if purpose == LinkPurpose.OFFER:
        return SlotOffer.objects.create(
            entry=entry, therapist=visit.therapist, starts_at=visit.starts_at - timedelta(hours=2), freed_by=visit,
            freed_version=1, created_at=NOW, expires_at=visit.starts_at - timedelta(hours=4),
        ).pk  # fmt: skip
    return {
        LinkPurpose.VISIT: visit.pk,
        LinkPurpose.INTAKE: visit.intake_id,
        LinkPurpose.WAITING: entry.pk,
    }.get(purpose, visit.patient.pk)


def open_page(name, visit, proof, method):
    view = PATIENT_PAGES[name]
    token = issue_link(
        patient=visit.patient,
        purpose=view.capability.purpose,
        subject_id=subject_of(view.capability.purpose, visit),
        proof=proof,
        expires_at=NOW + timedelta(days=30),
        now=NOW,
    )
    more = {"booking:move_times": [visit.starts_at.date()], "booking:move": [visit.starts_at + timedelta(hours=1)]}
    more["assessments:page"] = ["safety"]
    return getattr(Client(), method)(reverse(name, args=[token, *more.get(name, [])]))
