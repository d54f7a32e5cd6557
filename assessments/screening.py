"""The short hip screen before the slots: the safety pages of the intake, asked of somebody who is not a patient yet.

The answers live in the visitor's session, sealed like all answers, until a visit is booked: then they become the first pages
of its intake and are not asked again. Without a booking the session ends 12 hours after the last answer, and the clean-up
has deleted it within a day (`clinic.cleanup`).
"""

import base64
import json
from dataclasses import asdict, dataclass, field

from django.conf import settings

from clinic.audit.sealing import DecryptionFailed, open_sealed, seal
from clinic.practice.models import Patient
from education.articles import published
from education.models import Article

from .definitions import read_rules
from .enablement import keep_enabled
from .flags import acknowledge_shown
from .models import Questionnaire, Response
from .questionnaire import Item
from .red_flags import Fired, evaluate
from .responses import merge_answers, save_page, start_response

SCREEN_SLUG = "hip-running-intake"
SCREEN_PAGES = ("safety", "signs", "where")  # seven questions, and what they open
KEY = "hip_screen"
PLACE = "assessments.screening"
WORDS = {"hip", "groin"}
PLACE_QUESTION = "loc.map"


@dataclass
class Screen:
    """How far a visitor is. `acknowledged` are ids of rules whose page was read; `next_path` is where to go on; `article` is
    the code of the one they came from.
    """

    next_path: str
    is_skipped: bool = False
    answers: dict[str, list] = field(default_factory=dict)
    saved: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    article: str = ""

    @property
    def is_done(self) -> bool:
        return self.is_skipped or set(SCREEN_PAGES) <= set(self.saved)


def is_about_hip(article: Article | None) -> bool:
    """Whether an article is about the hip or groin, by the name of its shelf or its own."""
    return article is not None and bool(WORDS & {*article.topic.slug.split("-"), *article.slug.split("-")})


def find_questionnaire() -> Questionnaire | None:
    """What the screen asks from; None where the clinic has not published it."""
    return Questionnaire.objects.published().filter(slug=SCREEN_SLUG).first()


def screen_pages(questionnaire: Questionnaire) -> list[Item]:
    """The pages of the screen, in order."""
    return [page for page in questionnaire.parsed.pages if page.link_id in SCREEN_PAGES]


def read_screen(session) -> Screen | None:
    """The visitor's screen; None if none was begun, or the key it was sealed with is gone."""
    sealed = session.get(KEY)
    if not sealed:
        return None
    try:
        plain = open_sealed(base64.b64decode(sealed), place=PLACE, keys=settings.ENCRYPTION_KEYS)
    except DecryptionFailed:
        return None
    return Screen(**json.loads(plain))


def may_offer_screen(session) -> bool:
    """Whether the visitor has neither begun nor declined a screen that the clinic has published."""
    return KEY not in session and Questionnaire.objects.published().filter(slug=SCREEN_SLUG).exists()


def write_screen(session, screen: Screen) -> None:
    """Keep `screen` in the session, sealed."""
    plain = json.dumps(asdict(screen)).encode()
    session[KEY] = base64.b64encode(seal(plain, place=PLACE, keys=settings.ENCRYPTION_KEYS)).decode()


def save_screen_page(*, screen: Screen, questionnaire: Questionnaire, page: Item, answers: dict[str, list]) -> None:
    """Keep the answers of one page that fit; a rule that no longer fires must be read again if it comes back."""
    screen.answers = merge_answers(screen.answers, answers, page)
    fired = {hit.rule_id for hit in standing_flags(screen, questionnaire)}
    screen.acknowledged = [rule for rule in screen.acknowledged if rule in fired]


def find_place_hint(screen: Screen, page: Item, *, now) -> Article | None:
    """The article the visitor came from, if it speaks of a place that `page` asks for and that they have not named yet."""
    is_asked = any(item.link_id == PLACE_QUESTION for item in page.walk())
    if not screen.article or not is_asked or page.link_id in screen.saved or PLACE_QUESTION in screen.answers:
        return None
    return published(now=now).filter(code=screen.article).exclude(place="").first()


def standing_flags(screen: Screen, questionnaire: Questionnaire) -> list[Fired]:
    """What in the answers must not wait, worst first; what only the therapist should know waits for the booking."""
    hits = evaluate(read_rules(), keep_enabled(questionnaire.parsed, screen.answers))
    return [hit for hit in hits if hit.level in "EU"]


def unread_flags(screen: Screen, questionnaire: Questionnaire) -> list[Fired]:
    """Those to stop for: an emergency always, as long as its answer stands; an urgent one until it was read."""
    return [
        hit
        for hit in standing_flags(screen, questionnaire)
        if hit.level == "E" or hit.rule_id not in screen.acknowledged
    ]


def keep_screen(*, session, intake: Response | None, patient: Patient, now) -> Response | None:
    """Make the screen's answers the first pages of `intake`, or of an intake of their own where the visit has none.

    Flags are raised and staff alerted as for any saved page. The session forgets. None if there was nothing to keep.
    """
    screen = read_screen(session)
    session.pop(KEY, None)
    if screen is None or not screen.answers:
        return None
    pages = [page.link_id for page in intake.questionnaire.parsed.pages] if intake else []
    if not set(SCREEN_PAGES) <= set(pages):
        intake = start_response(questionnaire_slug=SCREEN_SLUG, patient=patient, now=now)
    for page in screen_pages(intake.questionnaire) if intake else ():
        here = {item.link_id: screen.answers[item.link_id] for item in page.walk() if item.link_id in screen.answers}
        save_page(response=intake, page=page.link_id, answers=here, now=now)
    if intake and screen.acknowledged:
        acknowledge_shown(response=intake, level="U", now=now)
    return intake
