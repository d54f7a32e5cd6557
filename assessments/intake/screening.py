"""The hip screen before booking: the safety pages of the intake, asked of a visitor who is not a patient yet.

The answers are kept in the visitor's session, encrypted like all answers, until a visit is booked or the wait list is
joined. In that transaction they become the first pages of an intake. Otherwise they are deleted with the expired
session (`clinic.cleanup`).
"""

import base64
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import InterfaceError, OperationalError, transaction

from assessments.intake.responses import (
    awaiting_follow_up,
    create_response,
    merge_answers,
    save_page,
    start_published_response,
)
from assessments.known_questions import BODY_SITE, HIP_INTAKE, SCREEN_PAGES
from assessments.models import Questionnaire, Response
from assessments.questionnaire.checking import keep_fitting
from assessments.questionnaire.enablement import keep_enabled
from assessments.questionnaire.model import Item
from assessments.red_flag_rules.evaluation import Fired, evaluate, is_sooner, without_unsure
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.flags import acknowledge_read
from clinic.audit.sealing import DecryptionFailed, open_sealed, seal
from clinic.practice.models import Patient
from education.articles.library import published
from education.models import Article

logger = logging.getLogger(__name__)

KEY = "hip_screen"
PLACE = "assessments.screening"
HIP_TERMS = {"hip", "groin"}


@dataclass
class Screen:
    """The state of a visitor's screen.

    `read` is {rule id: deadline} of the advice that was shown and acknowledged. `next_path` is the path of the page
    after the screen. `article` is the code of the article from which the visitor opened the screen.
    """

    next_path: str
    is_skipped: bool = False
    answers: dict[str, list] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    article: str = ""

    @property
    def is_done(self) -> bool:
        return self.is_skipped or set(SCREEN_PAGES) <= set(self.saved)


def is_about_hip(article: Article | None) -> bool:
    """Return whether the slug of an article or of its topic has one of HIP_TERMS."""
    return article is not None and bool(HIP_TERMS & {*article.topic.slug.split("-"), *article.slug.split("-")})


def find_questionnaire() -> Questionnaire | None:
    """Return the questionnaire whose pages the screen asks; None if it is not published."""
    return Questionnaire.objects.published().filter(canonical=HIP_INTAKE).first()


def screen_pages(questionnaire: Questionnaire) -> list[Item]:
    """Return the pages of the screen, in order."""
    return [page for page in questionnaire.parsed.pages if page.link_id in SCREEN_PAGES]


def read_screen(session: SessionBase) -> Screen | None:
    """Return the visitor's screen; None if it was not begun or cannot be decrypted."""
    sealed = session.get(KEY)
    if not sealed:
        return None
    try:
        plain = open_sealed(base64.b64decode(sealed), place=PLACE, keys=settings.ENCRYPTION_KEYS)
    except DecryptionFailed:
        return None
    names = {one.name for one in fields(Screen)}  # another release may have written the session
    return Screen(**{name: value for name, value in json.loads(plain).items() if name in names})


def may_offer_screen(session: SessionBase) -> bool:
    """Return whether the screen is published and the visitor has neither begun nor skipped it."""
    return KEY not in session and Questionnaire.objects.published().filter(canonical=HIP_INTAKE).exists()


def forget_screen(session: SessionBase) -> None:
    """Delete the screen from the session. No-op without one."""
    session.pop(KEY, None)


def write_screen(session: SessionBase, screen: Screen) -> None:
    """Store `screen` in the session, encrypted."""
    plain = json.dumps(asdict(screen)).encode()
    session[KEY] = base64.b64encode(seal(plain, place=PLACE, keys=settings.ENCRYPTION_KEYS)).decode()


def save_screen_page(
    *,
    screen: Screen,
    questionnaire: Questionnaire,
    page: Item,
    answers: dict[str, list],
    not_yet_shown: Iterable[str] = (),
) -> list[Fired]:
    """Store the valid answers of one page in `screen`, but not yet in the session. Return the unread flags.

    `not_yet_shown` is as in `responses.save_page`. If a rule stops firing and fires again, its advice must be read
    again.
    """
    awaiting = awaiting_follow_up(questionnaire.parsed, not_yet_shown, before=screen.answers)
    screen.answers = merge_answers(screen.answers, answers, page)
    current = {hit.rule_id for hit in current_flags(screen, questionnaire)}
    screen.read = {rule: deadline for rule, deadline in screen.read.items() if rule in current}
    return unread_flags(screen, questionnaire, awaiting=awaiting)


def find_site_hint(screen: Screen, page: Item, *, now: datetime) -> Article | None:
    """Return the published article of `screen` if it has a body site, and `page` asks for the site the first time.

    Otherwise None.
    """
    is_asked = any(item.link_id == BODY_SITE for item in page.walk())
    if not screen.article or not is_asked or page.link_id in screen.saved or BODY_SITE in screen.answers:
        return None
    return published(now=now).filter(code=screen.article).exclude(place="").first()


def current_flags(screen: Screen, questionnaire: Questionnaire, *, awaiting: Iterable[str] = ()) -> list[Fired]:
    """Return the emergency and urgent flags that the answers raise, worst first. Level T is not raised until booking.

    `awaiting` are questions whose "not sure" does not count yet, because its follow-up was not shown.
    """
    asked = without_unsure(keep_enabled(questionnaire.parsed, screen.answers), set(awaiting))
    return [hit for hit in evaluate(read_rules(), asked) if hit.level in "EU"]


def unread_flags(screen: Screen, questionnaire: Questionnaire, *, awaiting: Iterable[str] = ()) -> list[Fired]:
    """Return the flags that need the stop page: emergencies, and urgent flags whose advice was not read."""
    return [hit for hit in current_flags(screen, questionnaire, awaiting=awaiting) if not _is_read(screen, hit)]


def _is_read(screen: Screen, hit: Fired) -> bool:
    deadline = screen.read.get(hit.rule_id)
    return hit.level == "U" and deadline is not None and not is_sooner(hit.deadline, than=deadline)


def note_read(screen: Screen, questionnaire: Questionnaire, *, deadline: str) -> None:
    """Record that the visitor has read the urgent advice with `deadline`, except for rules with a sooner one."""
    urgent = [hit for hit in unread_flags(screen, questionnaire) if hit.level == "U"]
    screen.read |= {hit.rule_id: deadline for hit in urgent if not is_sooner(hit.deadline, than=deadline)}


def begin_intake(*, questionnaire_slug: str, patient: Patient, screen: Screen | None, now: datetime) -> Response | None:
    """Begin the intake of a visit, with the answers of the visitor's `screen`, in the booking's transaction.

    An error in a questionnaire does not prevent a booking. The intake is rolled back, the error is logged, and the
    visit is booked without an intake, which staff see on Today. Answers of `screen` that do not fit the
    intake get one of their own. Raises only OperationalError and InterfaceError.
    """
    intake = _attempt(
        lambda: start_published_response(questionnaire_slug=questionnaire_slug, patient=patient, now=now),
        "An intake could not be begun; the visit is booked without it.",
    )
    if screen is not None and screen.answers:
        kept = _attempt(
            lambda: keep_screen(screen=screen, intake=intake, patient=patient, now=now),
            "The answers before a booking did not fit its intake; they get an intake of their own.",
        )
        if kept is None:
            if intake is not None:
                intake.refresh_from_db()
            _attempt(
                lambda: keep_screen(screen=screen, intake=None, patient=patient, now=now),
                "The answers given before a booking could not be kept.",
            )
    return intake


def is_screen_kept(*, screen: Screen | None, patient: Patient, now: datetime) -> bool:
    """Return whether `screen` has no answers, or they were stored for `patient` at `now`, so that it may be deleted."""
    if screen is None or not screen.answers:
        return True
    return Response.objects.filter(patient=patient, saved_at=now).exists()


def _attempt(work: Callable[[], Response | None], failure: str) -> Response | None:
    """Run `work` in a savepoint. On an error, log `failure` and return None.

    Raises only OperationalError and InterfaceError.
    """
    try:
        with transaction.atomic():
            return work()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception(failure)
        return None


def keep_screen(*, screen: Screen, intake: Response | None, patient: Patient, now: datetime) -> Response | None:
    """Save the answers of `screen` in `intake`, or in an intake of their own if it is None or does not take them all.

    Runs in the transaction that creates or matches the patient. Flags are raised and staff alerted as for any saved
    page. Only advice that was shown and acknowledged counts as read. Return the intake with the answers, or
    None if there are no answers.
    """
    if not screen.answers:
        return None
    if intake is None or not _takes(intake.questionnaire, screen.answers):
        intake = create_response(questionnaire=_screen_questionnaire(), patient=patient, now=now)
    for page in intake.questionnaire.parsed.pages:
        here = {item.link_id: screen.answers[item.link_id] for item in page.walk() if item.link_id in screen.answers}
        if here:
            save_page(response=intake, page=page.link_id, answers=here, now=now)
    acknowledge_read(response=intake, read=screen.read, level="U", now=now)
    return intake


def _takes(questionnaire: Questionnaire, answers: dict[str, list]) -> bool:
    """Return whether all `answers` are valid in `questionnaire`."""
    items = questionnaire.parsed.items
    return all(
        name in items and items[name].is_answerable and keep_fitting(items[name], values) == values
        for name, values in answers.items()
    )


def _screen_questionnaire() -> Questionnaire:
    """Return the published questionnaire of the screen, or its newest version if none is published now."""
    return find_questionnaire() or Questionnaire.objects.of(HIP_INTAKE)[0]
