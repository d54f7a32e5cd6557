"""Changes of hours, services, therapists and the clinic that affect booked visits.

Staff confirm them, and accept the affected visits, which Today lists."""

import threading
import uuid
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection, connections
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from booking.actions.book import BookingRequest, Contact, book_in_locked_schedule
from booking.actions.change import cancel_appointment, move_appointment
from booking.models import Appointment, AppointmentEvent, HoursOverride, OpeningHours, Service
from booking.schedule.availability import free_slots
from booking.schedule.errors import TooLateToChange
from booking.schedule.locking import locked_schedules
from booking.schedule.off_schedule import OffScheduleBecause, accept_off_schedule, visits_off_schedule
from booking.schedule.slots import Slot
from clinic.practice.models import Clinic, Therapist, User
from tests.booking.locking import wait_until, waiting_for_locks
from tests.world import EVERY_RULE, NINE_ON_TUESDAY, NOW, book, make_therapist

Because = OffScheduleBecause


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def off_schedule() -> dict:
    """Return {visit: reasons} of all visits off schedule."""
    return {one.visit: set(one.reasons) for one in visits_off_schedule(now=NOW)}


def tuesday_hours(**filters) -> OpeningHours:
    return OpeningHours.objects.get(weekday=1, opens=time(9), **filters)


# Finding visits off schedule


def test_nothing_is_off_schedule_when_nothing_has_changed(evaluation, call):
    book(evaluation)
    book(call, starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    assert off_schedule() == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: Therapist.objects.update(is_active=False), Because.INACTIVE),
        (lambda: Service.objects.get().therapists.clear(), Because.THERAPIST),
        (lambda: Service.objects.update(listing=Service.Listing.HIDDEN), Because.HIDDEN),
        (lambda: Service.objects.update(offered_modes=["video"]), Because.MODE),
        (lambda: tuesday_hours().delete(), Because.HOURS),
        (lambda: OpeningHours.objects.filter(weekday=1, opens=time(9)).update(opens=time(9, 15)), Because.HOURS),
        (lambda: OpeningHours.objects.filter(weekday=1, opens=time(9)).update(closes=time(9, 30)), Because.HOURS),
        (lambda: OpeningHours.objects.update(valid_until=date(2026, 11, 30)), Because.HOURS),
        (lambda: OpeningHours.objects.update(valid_from=date(2026, 12, 2)), Because.HOURS),
        (lambda: Clinic.objects.update(time_zone="America/Los_Angeles"), Because.HOURS),
    ],
)
def test_visit_is_off_schedule_when_a_change_removes_its_time(evaluation, change, reason):
    visit = book(evaluation)
    change()
    assert off_schedule() == {visit: {reason}}


@pytest.mark.parametrize(
    "change",
    [
        lambda: Service.objects.update(listing=Service.Listing.CALL_US),
        lambda: Service.objects.update(minimum_notice_minutes=60 * 24 * 30, horizon_days=1, daily_cap=1),
        lambda: Service.objects.update(start_step_minutes=40, minutes=90, turnover_minutes=0),
        lambda: OpeningHours.objects.update(mode="call_us"),
        lambda: OpeningHours.objects.update(mode="reserve"),
        lambda: OpeningHours.objects.filter(opens=time(9)).update(opens=time(8, 50)),
        lambda: OpeningHours.objects.filter(opens=time(9)).update(closes=time(9, 45)),
    ],
)
def test_visit_stays_on_schedule_when_the_therapist_is_still_there(evaluation, change):
    book(evaluation)
    change()
    assert off_schedule() == {}


def test_visit_in_extra_hours_is_off_schedule_when_they_are_removed(evaluation, meredith):
    saturday = datetime(2026, 12, 5, 15, tzinfo=UTC)
    extra = HoursOverride.objects.create(
        kind="extra", therapist=meredith, starts_at=saturday, ends_at=saturday + timedelta(hours=2)
    )
    visit = book(evaluation, starts_at=saturday)
    assert off_schedule() == {}
    extra.delete()
    assert off_schedule() == {visit: {Because.HOURS}}


def test_blocked_time_counts_for_its_therapist_or_for_all(evaluation):
    visit = book(evaluation)
    nora = make_therapist("Nora", position=1)
    stretch = {"starts_at": NINE_ON_TUESDAY + timedelta(minutes=40), "ends_at": NINE_ON_TUESDAY + timedelta(hours=1)}
    noras = HoursOverride.objects.create(kind="closure", therapist=nora, **stretch)
    assert off_schedule() == {}
    HoursOverride.objects.filter(pk=noras.pk).update(therapist=None)
    assert off_schedule() == {visit: {Because.CLOSED}}


def test_over_and_cancelled_visits_are_not_listed(evaluation):
    visit = book(evaluation)
    Therapist.objects.update(is_active=False)
    assert visits_off_schedule(now=NINE_ON_TUESDAY) == []
    cancel_appointment(appointment=visit, now=NOW)
    assert off_schedule() == {}


def test_visits_cost_the_same_queries_at_one_and_at_thirty(evaluation, django_assert_num_queries):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    book(evaluation)
    OpeningHours.objects.all().delete()
    with django_assert_num_queries(6):
        assert len(visits_off_schedule(now=NOW)) == 1
    for number in range(29):
        visit = book_off_hours(evaluation, NINE_ON_TUESDAY + timedelta(days=number % 9, hours=1 + number // 9), number)
        Appointment.objects.filter(pk=visit.pk).update(off_schedule_accepted=[])
    with django_assert_num_queries(6):
        assert len(visits_off_schedule(now=NOW)) == 30


def book_off_hours(service, starts_at, number=0):
    by = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("s@clinic.example", name="S")
    contact = Contact(name=f"Runner {number}", email=f"r{number}@example.com", phone="+16035550199")
    return book(service, starts_at=starts_at, contact=contact, despite_rules=EVERY_RULE, by=by)


HALF_HOURS = st.integers(16, 40)  # from 8:00 AM to 8:00 PM, in half hours since midnight


@st.composite
def weeks(draw):
    """Draw opening hours of two weekdays, as [(weekday, first half hour, last half hour)]."""
    rows = draw(st.lists(st.tuples(st.integers(1, 2), HALF_HOURS, HALF_HOURS), max_size=4))
    return [(weekday, min(one, other), max(one, other)) for weekday, one, other in rows if one != other]


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(week=weeks(), closed=st.lists(st.tuples(HALF_HOURS, HALF_HOURS), max_size=2), is_active=st.booleans())
def test_visits_are_listed_exactly_when_the_pages_would_not_offer_their_time(standing_visits, week, closed, is_active):
    therapist = standing_visits[0].therapist
    OpeningHours.objects.all().delete()
    HoursOverride.objects.all().delete()
    Therapist.objects.update(is_active=is_active)
    for weekday, opens, closes in week:
        OpeningHours.objects.create(therapist=therapist, weekday=weekday, opens=clock(opens), closes=clock(closes))
    for one, other in closed:
        if one != other:
            HoursOverride.objects.create(
                kind="closure", starts_at=on_tuesday(min(one, other)), ends_at=on_tuesday(max(one, other))
            )
    assert off_schedule().keys() == {visit for visit in standing_visits if not pages_offer(visit)}


@pytest.fixture
def standing_visits(evaluation):
    """Book a 90-minute visit on each half hour of Tuesday and Wednesday. Without the others, each would be offered."""
    Service.objects.update(minutes=90, turnover_minutes=0)
    evaluation.refresh_from_db()
    Clinic.objects.update(minimum_notice_minutes=0)
    OpeningHours.objects.update(opens=time(0, 30), closes=time(23))
    starts = [on_tuesday(half) + timedelta(days=day) for day in (0, 1) for half in range(16, 40, 3)]
    return [book(evaluation, starts_at=start, name=f"R{n} X") for n, start in enumerate(starts)]


def clock(half_hours: int) -> time:
    return time(half_hours // 2, 30 * (half_hours % 2))


def on_tuesday(half_hours: int) -> datetime:
    return NINE_ON_TUESDAY + timedelta(minutes=30 * (half_hours - 18))


def pages_offer(visit) -> bool:
    """Return whether the page of that day would offer the visit's time if the visit did not exist. The naive oracle."""
    day = visit.starts_at.astimezone(Clinic.objects.get().zone).date()
    slots = free_slots(
        service=Service.objects.get(),
        therapist=visit.therapist,
        first_day=day,
        days=1,
        now=NOW,
        in_place_of=visit,
    )
    return any(slot.starts_at == visit.starts_at for slot in slots)


# Accepting a visit off schedule


def test_accepted_visit_is_not_listed_until_there_is_another_reason(evaluation, owner):
    visit = book(evaluation)
    tuesday_hours().delete()
    accept_off_schedule(appointment=visit, by=owner, now=NOW)
    accept_off_schedule(appointment=visit, by=owner, now=NOW)
    assert off_schedule() == {}
    assert visit.events.filter(kind="off_schedule", by=owner).count() == 1
    Therapist.objects.update(is_active=False)
    assert off_schedule() == {visit: {Because.INACTIVE}}
    with pytest.raises(TooLateToChange):
        accept_off_schedule(appointment=visit, by=owner, now=NINE_ON_TUESDAY)


def test_visit_booked_despite_the_rules_is_accepted_until_it_is_moved(evaluation, owner):
    eight_in_the_evening = NINE_ON_TUESDAY + timedelta(hours=11)
    visit = book_off_hours(evaluation, eight_in_the_evening)
    assert off_schedule() == {}
    visit = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY, now=NOW)
    tuesday_hours().delete()
    assert off_schedule() == {visit: {Because.HOURS}}
    move_appointment(appointment=visit, starts_at=eight_in_the_evening, despite_rules=EVERY_RULE, by=owner, now=NOW)
    assert off_schedule() == {}


# Confirmation before saving


def hours_form(row, **changes) -> dict:
    return {
        "therapist": row.therapist_id,
        "weekday": row.weekday,
        "opens": row.opens.strftime("%H:%M"),
        "closes": row.closes.strftime("%H:%M"),
        "mode": row.mode,
        "valid_from": "",
        "valid_until": "",
    } | changes


def service_form(service, **changes) -> dict:
    form = {
        name: getattr(service, name)
        for name in [
            "name",
            "slug",
            "summary",
            "includes",
            "purpose",
            "listing",
            "position",
            "intake_slug",
            "minutes",
            "start_step_minutes",
            "prepare_minutes",
            "turnover_minutes",
            "late_fee_note",
        ]
    }
    form |= {name: getattr(service, name) // 100 for name in ("price_cents", "late_fee_cents")}  # typed in dollars
    return (
        form
        | {"offered_modes": service.offered_modes, "therapists": [one.pk for one in service.therapists.all()]}
        | changes
    )


def change_page(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def delete_page(row) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])


def therapist_form(therapist, **changes) -> dict:
    names = ["name", "slug", "credentials", "bio", "position"]
    return {name: getattr(therapist, name, "") for name in names} | {"is_active": "on", "user": ""} | changes


CLINIC_FIELDS = [
    "name",
    "legal_line",
    "phone",
    "email",
    "emergency_number",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "directions",
    "what_to_bring",
    "minimum_notice_minutes",
    "horizon_days",
    "change_window_hours",
    "change_policy",
    "bookings_a_day_per_address",
    "bookings_a_day_per_network",
    "quiet_from",
    "quiet_until",
]


def clinic_form(**changes) -> dict:
    clinic = Clinic.objects.get()
    return {name: getattr(clinic, name) for name in CLINIC_FIELDS} | {"latitude": "", "longitude": ""} | changes


def selected(row) -> dict:
    return {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}


WAYS = {
    "hours shortened": lambda: (change_page(tuesday_hours()), hours_form(tuesday_hours(), closes="09:30")),
    "hours end": lambda: (change_page(tuesday_hours()), hours_form(tuesday_hours(), valid_until="2026-11-30")),
    "hours deleted": lambda: (delete_page(tuesday_hours()), {"post": "yes"}),
    "hours deleted from the list": lambda: ("/admin/booking/openinghours/", selected(tuesday_hours())),
    "service hidden": lambda: (
        change_page(Service.objects.get()),
        service_form(Service.objects.get(), listing="hidden"),
    ),
    "therapist removed": lambda: (
        change_page(Service.objects.get()),
        service_form(Service.objects.get(), therapists=[]),
    ),
    "mode removed": lambda: (
        change_page(Service.objects.get()),
        service_form(Service.objects.get(), offered_modes=["video"]),
    ),
    "therapist switched off": lambda: (
        change_page(Therapist.objects.get()),
        {name: value for name, value in therapist_form(Therapist.objects.get()).items() if name != "is_active"},
    ),
    "zone changed": lambda: (
        change_page(Clinic.objects.get()),
        clinic_form(time_zone="America/Los_Angeles", zone_confirmed="America/Los_Angeles"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_form_asks_before_it_saves_a_change_that_affects_visits(client, owner, evaluation, way):
    visit = book(evaluation)
    path, form = WAYS[way]()
    asked = client.post(path, form)
    page = asked.content.decode()
    assert asked.status_code == 200, asked.get("Location")
    assert asked.context["count"] == 1
    for words in ("Alice Runner", "Evaluation", "Meredith", change_page(visit)):
        assert words in page
    assert off_schedule() == {}
    assert not owner.logentry_set.exists()
    seen = asked.context["seen"]
    saved = client.post(path, form | {"affected_visits_seen": seen}, follow=True)
    assert saved.redirect_chain
    assert off_schedule().keys() == {visit}
    assert visit.__class__.objects.get(pk=visit.pk).status == "booked"


def test_confirmation_page_keeps_the_typed_values_and_does_not_claim_that_they_are_saved(client, owner, evaluation):
    book(evaluation)
    row = tuesday_hours()
    page = client.post(change_page(row), hours_form(row, closes="09:30", _continue="1")).content.decode()
    assert '<input type="hidden" name="closes" value="09:30">' in page
    assert '<input type="hidden" name="_continue" value="1">' in page
    assert "successfully" not in page
    assert "successfully" not in client.get("/admin/").content.decode()


def test_confirmation_for_other_visits_asks_again(client, owner, evaluation):
    book(evaluation)
    row = tuesday_hours()
    form = hours_form(row, closes="09:30")
    seen = client.post(change_page(row), form).context["seen"]
    book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1), name="Bob")
    again = client.post(change_page(row), form | {"affected_visits_seen": seen})
    assert again.context["count"] == 2
    row.refresh_from_db()
    assert row.closes == time(12)


def test_visit_that_was_off_schedule_before_is_not_asked_about(client, owner, evaluation):
    book(evaluation)
    OpeningHours.objects.filter(weekday=1, opens=time(9)).update(closes=time(9, 30))
    row = tuesday_hours()
    assert client.post(change_page(row), hours_form(row, closes="09:15")).status_code == 302


def test_harmless_and_invalid_changes_are_not_asked_about(client, owner, evaluation):
    book(evaluation)
    row = tuesday_hours()
    assert client.post(change_page(row), hours_form(row, closes="12:30")).status_code == 302
    wrong = client.post(change_page(row), hours_form(row, closes="08:00"))
    assert wrong.status_code == 200 and wrong.context["errors"]
    assert client.get(delete_page(row)).status_code == 200


def test_ending_extra_hours_asks_and_blocking_time_asks_once(client, owner, evaluation, meredith):
    saturday = datetime(2026, 12, 5, 15, tzinfo=UTC)
    extra = HoursOverride.objects.create(
        kind="extra", therapist=meredith, starts_at=saturday, ends_at=saturday + timedelta(hours=2)
    )
    book(evaluation, starts_at=saturday)
    asked = client.post(delete_page(extra), {"post": "yes"})
    assert asked.context["count"] == 1
    moved = {"kind": "extra", "therapist": meredith.pk, "starts_at": "2026-12-06T10:00", "ends_at": "2026-12-06T12:00"}
    assert "1 booked visit is" in client.post(change_page(extra), moved | {"despite_visits": "on"}).content.decode()
    blocked = {"kind": "closure", "starts_at": "2026-12-05T09:00", "ends_at": "2026-12-05T11:00"}
    assert "Booked in this time" in client.post("/admin/booking/hoursoverride/add/", blocked).content.decode()
    blocked |= {"despite_visits": "on", "visits_shown": f"{Appointment.objects.get().pk}=1:booked"}
    assert client.post("/admin/booking/hoursoverride/add/", blocked).status_code == 302


def test_staff_without_the_right_to_see_visits_learn_only_how_many(client, front_desk, evaluation):
    front_desk.user_permissions.add(*Permission.objects.filter(codename__in=["change_openinghours"]))
    client.force_login(front_desk)
    visit = book(evaluation)
    row = tuesday_hours()
    asked = client.post(change_page(row), hours_form(row, closes="09:30"))
    page = asked.content.decode()
    assert asked.context["count"] == 1
    for words in ("Alice", "Evaluation", "Dec", str(visit.pk), visit.reference):
        assert words not in page


def test_staff_without_the_right_to_change_hours_are_refused_as_before(client, front_desk, evaluation):
    front_desk.user_permissions.add(Permission.objects.get(codename="view_openinghours"))
    client.force_login(front_desk)
    book(evaluation)
    row = tuesday_hours()
    assert client.post(change_page(row), hours_form(row, closes="09:30")).status_code == 403
    assert client.post(delete_page(row), {"post": "yes"}).status_code == 403


class Holder:
    """Book in a therapist's schedule on another connection, and commit once some connection waits for the lock."""

    def __init__(self, service, therapist, *, until=lambda: None):
        self.service, self.therapist, self.until = service, therapist, until
        self.holds, self.thread = threading.Event(), threading.Thread(target=self._book)

    def _book(self):
        with locked_schedules([self.therapist.pk]):
            booking = BookingRequest(
                slot=Slot(self.service, self.therapist, NINE_ON_TUESDAY),
                mode="in_person",
                contact=Contact(name="Late Larry", email="larry@example.com", phone="+16035550199"),
                idempotency_key=uuid.uuid4(),
            )
            book_in_locked_schedule(booking=booking, now=NOW)
            self.holds.set()
            wait_until(lambda: waiting_for_locks() > 0)
            self.until()
        connections.close_all()

    def __enter__(self):
        self.thread.start()
        assert self.holds.wait(timeout=30)

    def __exit__(self, *error):
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_visit_that_is_being_booked_during_the_save_is_asked_about(client, owner, evaluation, meredith):
    row = tuesday_hours()
    with Holder(evaluation, meredith):
        asked = client.post(change_page(row), hours_form(row, closes="09:30"))
    assert asked.context["count"] == 1
    assert "Late Larry" in asked.content.decode()
    row.refresh_from_db()
    assert row.closes == time(12)


@pytest.mark.django_db(transaction=True)
def test_staff_can_try_again_when_the_schedule_stays_locked(client, owner, evaluation, meredith):
    row, answered = tuesday_hours(), threading.Event()
    with Holder(evaluation, meredith, until=lambda: answered.wait(timeout=30)):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        try:
            response = client.post(change_page(row), hours_form(row, closes="09:30"))
        finally:
            answered.set()
            connection.close()
    page = response.content.decode()
    assert response.status_code == 503
    assert "Nothing is saved yet." in page
    assert '<input type="hidden" name="closes" value="09:30">' in page
    assert 'value="Try again"' in page


# Today, and the visit's own page


def test_today_lists_visits_off_schedule_with_reasons_until_they_are_accepted(client, owner, evaluation):
    visit = book(evaluation)
    assert "Visits outside the schedule" not in client.get("/admin/").content.decode()
    tuesday_hours().delete()
    page = client.get("/admin/").content.decode()
    assert "Visits outside the schedule" in page
    assert "Outside opening hours." in page
    assert client.get(change_page(visit)).context["off_schedule"]
    client.post(reverse("admin:booking_appointment_act", args=[visit.pk, "keep"]), {"version": "1:booked"})
    assert "Visits outside the schedule" not in client.get("/admin/").content.decode()
    after = client.get(change_page(visit))
    assert not after.context["off_schedule"]
    assert AppointmentEvent.Kind.OFF_SCHEDULE.label in after.content.decode()


def test_today_shows_visits_off_schedule_only_to_staff_who_may_see_visits(client, front_desk, evaluation):
    visit = book(evaluation)
    tuesday_hours().delete()
    client.force_login(front_desk)
    assert "outside the schedule" not in client.get("/admin/").content.decode()
    front_desk.user_permissions.add(Permission.objects.get(codename="view_appointment"))
    assert "Visits outside the schedule" in client.get("/admin/").content.decode()
    keep = reverse("admin:booking_appointment_act", args=[visit.pk, "keep"])
    assert client.post(keep).status_code == 403
    assert keep not in client.get(change_page(visit)).content.decode()


def test_edited_closure_asks_about_visits_whatever_was_confirmed_before(client, owner, evaluation, meredith):
    """A confirmation on a page that did not list this visit does not apply to it."""
    day = {
        "therapist": meredith,
        "starts_at": datetime(2026, 12, 2, 14, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 2, 15, tzinfo=UTC),
    }
    closure = HoursOverride.objects.create(kind="closure", **day)
    visit = book(evaluation)
    form = {"kind": "closure", "therapist": meredith.pk, "starts_at": "2026-12-01T09:00", "ends_at": "2026-12-01T10:00"}
    form |= {"despite_visits": "on"}
    asked = client.post(change_page(closure), form)
    assert asked.context["count"] == 1
    closure.refresh_from_db()
    assert closure.starts_at == day["starts_at"]
    saved = client.post(change_page(closure), form | {asked.context["seen_name"]: asked.context["seen"]})
    assert saved.status_code == 302
    closure.refresh_from_db()
    assert (closure.starts_at, visit.status) == (NINE_ON_TUESDAY, "booked")


def test_service_takes_only_a_published_questionnaire_as_its_intake(client, owner, evaluation):
    page = client.post(change_page(evaluation), service_form(evaluation, intake_slug="made-up"))
    assert page.context["adminform"].form.errors.keys() == {"intake_slug"}
    evaluation.refresh_from_db()
    assert evaluation.intake_slug == ""
