"""The short hip screen before the slots: the safety pages of the intake, asked of a visitor who is not a patient yet.

The answers are kept in the visitor's session, sealed like all answers, until a visit is booked or the wait list is joined:
then they become the first pages of an intake, in the same transaction. A visitor who does neither leaves nothing: the
session ends 12 hours after the last answer, and the clean-up has deleted it within a day (`clinic.cleanup`).
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

from assessments.intake.responses import begin_response, early_unsure, merge_answers, save_page, start_response
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
WORDS = {"hip", "groin"}


@dataclass
class Screen:
    """How far a visitor is. `read` is {rule: deadline} of the advice that was shown and acknowledged; `next_path` is where to
    go on; `article` is the code of the one they came from.
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
    """Whether an article is about the hip or groin, by the name of its shelf or its own."""
    return article is not None and bool(WORDS & {*article.topic.slug.split("-"), *article.slug.split("-")})


def find_questionnaire() -> Questionnaire | None:
    """What the screen asks from; None where the clinic has not published it."""
    return Questionnaire.objects.published().filter(canonical=HIP_INTAKE).first()


def screen_pages(questionnaire: Questionnaire) -> list[Item]:
    """The pages of the screen, in order."""
    return [page for page in questionnaire.parsed.pages if page.link_id in SCREEN_PAGES]


def read_screen(session: SessionBase) -> Screen | None:
    """The visitor's screen; None if none was begun, or the key it was sealed with is gone."""
    sealed = session.get(KEY)
    if not sealed:
        return None
    try:
        plain = open_sealed(base64.b64decode(sealed), place=PLACE, keys=settings.ENCRYPTION_KEYS)
    except DecryptionFailed:
        return None
    names = {one.name for one in fields(Screen)}  # a session may be older than this version of the site
    return Screen(**{name: value for name, value in json.loads(plain).items() if name in names})


def may_offer_screen(session: SessionBase) -> bool:
    """Whether the visitor has neither begun nor declined a screen that the clinic has published."""
    return KEY not in session and Questionnaire.objects.published().filter(canonical=HIP_INTAKE).exists()


def forget_screen(session: SessionBase) -> None:
    """The answers are a patient's now, or belong to nobody."""
    session.pop(KEY, None)


def write_screen(session: SessionBase, screen: Screen) -> None:
    """Keep `screen` in the session, sealed."""
    plain = json.dumps(asdict(screen)).encode()
    session[KEY] = base64.b64encode(seal(plain, place=PLACE, keys=settings.ENCRYPTION_KEYS)).decode()


def save_screen_page(
    *, screen: Screen, questionnaire: Questionnaire, page: Item, answers: dict[str, list], unshown: Iterable[str] = ()
) -> list[Fired]:
    """Keep the answers of one page that fit; returns what to stop for at once.

    `unshown` as for `responses.save_page`. Advice must be read again if its rule comes back.
    """
    early = early_unsure(questionnaire.parsed, unshown, before=screen.answers)
    screen.answers = merge_answers(screen.answers, answers, page)
    standing = {hit.rule_id for hit in standing_flags(screen, questionnaire)}
    screen.read = {rule: deadline for rule, deadline in screen.read.items() if rule in standing}
    return unread_flags(screen, questionnaire, early=early)


def find_place_hint(screen: Screen, page: Item, *, now: datetime) -> Article | None:
    """The article the visitor came from, if it speaks of a place that `page` asks for and that they have not named yet."""
    is_asked = any(item.link_id == BODY_SITE for item in page.walk())
    if not screen.article or not is_asked or page.link_id in screen.saved or BODY_SITE in screen.answers:
        return None
    return published(now=now).filter(code=screen.article).exclude(place="").first()


def standing_flags(screen: Screen, questionnaire: Questionnaire, *, early: Iterable[str] = ()) -> list[Fired]:
    """What in the answers must not wait, worst first; what only the therapist should know waits for the booking.

    `early` are questions whose "not sure" does not count yet.
    """
    asked = without_unsure(keep_enabled(questionnaire.parsed, screen.answers), set(early))
    return [hit for hit in evaluate(read_rules(), asked) if hit.level in "EU"]


def unread_flags(screen: Screen, questionnaire: Questionnaire, *, early: Iterable[str] = ()) -> list[Fired]:
    """Those to stop for: an emergency always, as long as its answer stands; an urgent one until its advice was read."""
    return [hit for hit in standing_flags(screen, questionnaire, early=early) if not _is_read(screen, hit)]


def _is_read(screen: Screen, hit: Fired) -> bool:
    deadline = screen.read.get(hit.rule_id)
    return hit.level == "U" and deadline is not None and not is_sooner(hit.deadline, than=deadline)


def note_read(screen: Screen, questionnaire: Questionnaire, *, deadline: str) -> None:
    """The visitor has read the urgent advice to be seen by `deadline`: of each rule that asks for no more haste."""
    urgent = [hit for hit in unread_flags(screen, questionnaire) if hit.level == "U"]
    screen.read |= {hit.rule_id: deadline for hit in urgent if not is_sooner(hit.deadline, than=deadline)}


def begin_intake(*, questionnaire_slug: str, patient: Patient, screen: Screen | None, now: datetime) -> Response | None:
    """The intake of a visit that is being booked, with the answers of the visitor's `screen`. In the booking's transaction.

    No questionnaire can stop a booking: what fails is undone and logged, and the visit is booked without an intake, which
    staff see on Today. Only a database that is away or busy is the booking's own to answer for.
    """
    intake = _attempt(
        lambda: start_response(questionnaire_slug=questionnaire_slug, patient=patient, now=now),
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
    """Whether nothing of `screen` is lost when the session forgets it: there was none, or it was stored for `patient` now."""
    if screen is None or not screen.answers:
        return True
    return Response.objects.filter(patient=patient, saved_at=now).exists()


def _attempt(work: Callable[[], Response | None], failure: str) -> Response | None:
    """`work` in a savepoint; None, and `failure` in the log, if it raises anything but that the database is away or busy."""
    try:
        with transaction.atomic():
            return work()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception(failure)
        return None


def keep_screen(*, screen: Screen, intake: Response | None, patient: Patient, now: datetime) -> Response | None:
    """Make the answers of `screen` pages of `intake`, or of an intake of their own where it does not ask the same.

    For the transaction of what makes the visitor a patient. Flags are raised and staff alerted as for any saved page; only
    advice that was shown and acknowledged counts as read. None if there was nothing to keep.
    """
    if not screen.answers:
        return None
    if intake is None or not _takes(intake.questionnaire, screen.answers):
        intake = begin_response(questionnaire=_screen_questionnaire(), patient=patient, now=now)
    for page in intake.questionnaire.parsed.pages:
        here = {item.link_id: screen.answers[item.link_id] for item in page.walk() if item.link_id in screen.answers}
        if here:
            save_page(response=intake, page=page.link_id, answers=here, now=now)
    acknowledge_read(response=intake, read=screen.read, level="U", now=now)
    return intake


def _takes(questionnaire: Questionnaire, answers: dict[str, list]) -> bool:
    """Whether each of `answers` answers a question of `questionnaire` too."""
    items = questionnaire.parsed.items
    return all(
        name in items and items[name].is_answerable and keep_fitting(items[name], values) == values
        for name, values in answers.items()
    )


def _screen_questionnaire() -> Questionnaire:
    """What the screen asks, or last asked: answers outlive the version they were given to."""
    return find_questionnaire() or Questionnaire.objects.of(HIP_INTAKE).first()
