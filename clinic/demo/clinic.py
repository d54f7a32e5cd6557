"""The demo clinic: its therapist, services and opening hours. All of it is fictional."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from booking.models import OpeningHours, Purpose, Service
from clinic.demo import login
from clinic.practice.models import Clinic, Role, Therapist, User


class DemoRefused(Exception):
    """The demo was not loaded: this is production, where its public login is unsafe, or another clinic's database."""


@transaction.atomic
def open_demo_clinic(*, now: datetime) -> bool:
    """Set up the clinic, its staff, services, hours, questionnaires and articles, and return True.

    If the demo clinic exists already, only load the current questionnaires, and return False.

    Raises DemoRefused in production, or if the database has a clinic of another name.
    """
    if settings.ENV.is_production:
        raise DemoRefused("the demo clinic is not for production: its login is public")
    existing = Clinic.objects.filter(pk=1).first()
    if existing is not None:
        if existing.name != CLINIC["name"]:
            raise DemoRefused(f"this database belongs to {existing.name}; the demo needs an empty one")
        call_command("load_definitions", verbosity=0)  # as on every deploy, so that answers are to the newest version
        return False
    Clinic.objects.create(**CLINIC)
    nora = _hire_nora()
    User.objects.create_user(login.FRONT_DESK_EMAIL, login.PASSWORD, name="Sam Reyes", roles=[Role.FRONT_DESK])
    _open_hours(nora)
    for position, service in enumerate(SERVICES):
        Service.objects.create(position=position, **service).therapists.add(nora)
    call_command("load_definitions", verbosity=0)
    call_command("load_articles", verbosity=0)
    return True


def _hire_nora() -> Therapist:
    user = User.objects.create_user(login.EMAIL, login.PASSWORD, name="Nora Ellis", roles=[Role.OWNER, Role.THERAPIST])
    return Therapist.objects.create(
        user=user,
        name="Nora Ellis",
        slug="nora-ellis",
        credentials="PT, DPT",
        bio=(
            "Nora has treated runners around the lakes for eleven years and still lines up for the odd trail half. "
            "She likes clear plans, small steps and mornings before the wind gets up."
        ),
    )


def _open_hours(therapist: Therapist) -> None:
    mornings, afternoons = (time(8), time(12)), (time(13), time(17))
    week = {weekday: [mornings, afternoons] for weekday in range(5)}
    week[2] = [mornings, (time(13), time(19))]  # one late day, for people who work
    week[5] = [(time(8), time(12))]
    for weekday, stretches in week.items():
        for opens, closes in stretches:
            OpeningHours.objects.create(therapist=therapist, weekday=weekday, opens=opens, closes=closes)


CLINIC = {
    "name": "Lakeside Running Physical Therapy",
    "legal_line": "A demonstration clinic. None of it is real: not the people, not the address, not the phone number.",
    "street": "12 Main Street",
    "city": "Meredith",
    "region": "NH",
    "postal_code": "03253",
    "country": "US",
    "phone": "+16035550142",
    "email": "hello@lakeside.example",
    "time_zone": "America/New_York",
    "latitude": "43.657300",
    "longitude": "-71.500300",
    "directions": (
        "One flight up, above the bakery by the town docks. There is an elevator at the back door. "
        "Park behind the building; the spaces marked L are ours."
    ),
    "what_to_bring": (
        "Shorts, a top you can move in and the shoes you run in most. If you have them, bring the shoes you wore "
        "before those, any scan or doctor's letter, and your running log or watch."
    ),
    "minimum_notice_minutes": int(timedelta(hours=12).total_seconds() // 60),
    "horizon_days": 60,
    "change_window_hours": 24,
    "change_policy": (
        "You can cancel by your link until 24 hours before the visit. After that, please call, so that another runner who is "
        "waiting can have the time. A first late cancellation costs nothing."
    ),
}

SERVICES = [
    {
        "slug": "discovery-call",
        "purpose": Purpose.CALL,
        "name": "Discovery call",
        "summary": "Not sure yet? Tell us what hurts and what you train for, and hear what a good next step would be.",
        "includes": "A talk with the therapist herself\nAn honest answer on whether physical therapy is right for you",
        "minutes": 15,
        "start_step_minutes": 15,
        "turnover_minutes": 5,
        "price_cents": 0,
        "offered_modes": ["video", "phone"],
        "intake_slug": "call-intake",
    },
    {
        "slug": "evaluation",
        "purpose": Purpose.EVALUATION,
        "name": "Evaluation",
        "summary": "A first visit for a runner who hurts: your story, your strength, your stride, and a plan.",
        "includes": "Strength and movement tests\nA look at how you run\nA written plan to take home",
        "minutes": 60,
        "other_minutes": [75, 90],
        "start_step_minutes": 30,
        "prepare_minutes": 5,
        "turnover_minutes": 10,
        "price_cents": 16500,
        "intake_slug": "hip-running-intake",
    },
    {
        "slug": "follow-up",
        "purpose": Purpose.FOLLOW_UP,
        "name": "Follow-up visit",
        "summary": "For those who have been evaluated here: check what works, change what does not.",
        "includes": "Tests from last time, again\nThe next steps of your plan",
        "minutes": 45,
        "other_minutes": [30, 60],
        "start_step_minutes": 15,
        "turnover_minutes": 10,
        "price_cents": 12000,
    },
]
