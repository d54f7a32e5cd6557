"""Permissions of patient links: the table of capabilities and proofs, and the decorator of every patient page.

The proof of a link depends on how it was sent. SHOWN: displayed to the sender of a form, or texted to the number typed
there. MAILED: sent to the patient's own mailbox. Stored answers need CONFIRMED, a code or a birth date within the last
CONFIRMED_FOR (`confirmation`), so that a forwarded email does not open a health record.
"""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import wraps
from typing import Any, Protocol, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic.audit.reading import note_link
from clinic.practice.access.confirmation import is_confirmed
from clinic.practice.access.links import LinkUnknown, open_link
from clinic.practice.models import Clinic, LinkPurpose, Patient, PatientLink, Proof
from clinic.practice.people.patients import accept_patient
from clinic.responses.headers import private_page


class Capability(Enum):
    """An action on a patient page: the link purpose and proof that it needs, and a description. Decided only here."""

    # About the visit of the link, without anything from before it was booked.
    SEE_VISIT = LinkPurpose.VISIT, Proof.SHOWN, "see the visit, add it to a calendar"
    CHANGE_VISIT = LinkPurpose.VISIT, Proof.SHOWN, "confirm, move, cancel and restore the visit"
    SAY_HERE = LinkPurpose.VISIT, Proof.SHOWN, "tell the clinic that one is here for the visit, or not yet"
    CORRECT_ADDRESS = LinkPurpose.VISIT, Proof.SHOWN, "correct the address of a visit while its patient is provisional"
    ASK_FOR_MAIL = LinkPurpose.VISIT, Proof.SHOWN, "have the visit's mail sent again to the same mailbox"
    ASK_FOR_EARLIER = LinkPurpose.VISIT, Proof.SHOWN, "join the wait list for an earlier time; shows no place on it"
    BEGIN_QUESTIONS = LinkPurpose.VISIT, Proof.SHOWN, "go on to the visit's questions"
    ANSWER_QUESTIONS = LinkPurpose.INTAKE, Proof.SHOWN, "answer the visit's questions; shows no stored answer"
    RETURN_TO_VISIT = LinkPurpose.INTAKE, Proof.SHOWN, "go on from the questions to the visit they are for"
    # About the patient.
    SEE_ANSWERS = LinkPurpose.INTAKE, Proof.CONFIRMED, "see and check stored answers"
    CONFIRM = LinkPurpose.INTAKE, Proof.SHOWN, "prove to be the patient by a mailed code or the birth date"
    SEE_WAIT_LIST_PLACE = LinkPurpose.VISIT, Proof.MAILED, "see, change and leave one's place on the wait list"
    LEAVE_WAIT_LIST = LinkPurpose.WAITING, Proof.MAILED, "see and leave a place on the wait list"
    TAKE_OFFER = LinkPurpose.OFFER, Proof.MAILED, "take a time that was freed"
    BOOK_AGAIN = LinkPurpose.VISIT, Proof.MAILED, "book as this patient, with the phone number on file"
    COME_BACK = LinkPurpose.RETURN, Proof.MAILED, "choose which patient of the mailbox books"
    USE_FIRST_NAME = LinkPurpose.VISIT, Proof.MAILED, "have one's first name used in messages, or no longer"
    OPEN_MESSAGES = LinkPurpose.VISIT, Proof.MAILED, "go on to the choice of messages"
    CHOOSE_MESSAGES = LinkPurpose.MESSAGES, Proof.MAILED, "choose what we write; agree to texts"

    def __init__(self, purpose: LinkPurpose, proof: Proof, description: str):
        self.purpose, self.proof, self.description = purpose, proof, description


class LinkRequest(HttpRequest):
    """A request whose link `patient_link` has opened."""

    link: PatientLink
    proof: Proof
    token: str


class LinkPage(Protocol):
    """A view behind a patient's link."""

    capability: Capability

    def __call__(self, request: HttpRequest, token: str, **place: Any) -> HttpResponse: ...


def declares(capability: Capability) -> Callable[[Callable[..., HttpResponse]], LinkPage]:
    """Declare the capability of a view that opens its link itself. A test checks it for every patient URL."""

    def decorate(view: Callable[..., HttpResponse]) -> LinkPage:
        page = cast(LinkPage, view)
        page.capability = capability
        return page

    return decorate


def patient_link(
    capability: Capability,
    *,
    load: Callable[[PatientLink], object | None],
    accepts: bool = True,
    busy: tuple[type[Exception], str] | None = None,
) -> Callable[[Callable[..., HttpResponse]], LinkPage]:
    """Turn `view(request, token, subject, now, …)` into a private page behind a patient's link.

    Opens the link as `request.link`, responds with 403 if link and session prove too little for `capability`, and
    passes the result of `load(link)` to the view. If that is None, the link is treated as unknown.

    A POST by a mailed link proves ownership of the mailbox, so it accepts a provisional patient. Set `accepts` to False
    for actions that the owner of a mistyped address may take (cancel, leave, unsubscribe). GET changes nothing, since
    mail scanners open every link. `busy` is (exceptions of the view, template of the 503 page for them).
    `middleware.BrokenLinkPages` renders LinkUnknown and LinkExpired.
    """

    busy_error, busy_template = busy or ((), "")

    def decorate(view: Callable[..., HttpResponse]) -> LinkPage:
        @declares(capability)
        @private_page
        @wraps(view)
        def opened(request: LinkRequest, token: str, **place: Any) -> HttpResponse:
            now = timezone.now()
            link = request.link = open_link(token=token, purpose=capability.purpose, now=now)
            note_link()
            request.proof, request.token = Proof(link.proof), token
            if not has_proof(request, capability, now=now):
                return render(request, "practice/link_proves_too_little.html", {"token": token}, status=403)
            if accepts and request.method == "POST" and request.proof >= Proof.MAILED:
                link.patient = accept_patient(link.patient, now=now)
            if (subject := load(link)) is None:
                raise LinkUnknown
            try:
                return view(request, token, subject, now, **place)
            except busy_error:
                context = {"token": token, "clinic": Clinic.objects.current()}
                return render(request, busy_template, context, status=503)

        return opened

    return decorate


def patient_of(link: PatientLink) -> Patient:
    """Return the patient of `link`. Serves as `load` for pages about the patient as a whole."""
    return link.patient


def has_proof(request: LinkRequest, capability: Capability, *, now: datetime) -> bool:
    """Whether `request` has the proof that `capability` needs.

    CONFIRMED is read from the session, lower levels from the link.
    """
    link = request.link
    if capability.proof <= request.proof:
        return True
    return capability.proof == Proof.CONFIRMED and is_confirmed(request.session, patient=link.patient, now=now)
