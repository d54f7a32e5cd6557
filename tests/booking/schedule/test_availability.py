"""Free times, and the number of queries for them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.availability import count_days, free_slots, nearest_free_slots, next_free_slots
from booking.schedule.errors import NotOfferedBecause, SlotNotOffered, SlotTaken
from booking.schedule.rules import bookable_time, require_free
from booking.schedule.slots import Slot
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book, make_therapist

WHOLE_DAY = ["09:00", "09:30", "10:00", "10:30", "11:00", "13:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00"]


def clock_times(service, clinic, day=TUESDAY, now=NOW, **rest) -> list[str]:
    slots = free_slots(service=service, first_day=day, days=1, now=now, clinic=clinic, **rest)
    return [f"{slot.starts_at.astimezone(clinic.zone):%H:%M}" for slot in slots]


def close(start, end, therapist=None):
    return HoursOverride.objects.create(kind="closure", therapist=therapist, starts_at=start, ends_at=end)


def test_a_day_offers_every_step_in_which_the_visit_fits(evaluation, clinic):
    assert clock_times(evaluation, clinic) == WHOLE_DAY


def test_visit_and_its_turnover_remove_overlapping_times(evaluation, clinic):
    book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    assert clock_times(evaluation, clinic) == [t for t in WHOLE_DAY if t not in ("09:30", "10:00", "10:30")]


def test_a_visit_blocks_its_therapist_for_other_services_too(evaluation, call, clinic):
    book(evaluation)
    assert clock_times(call, clinic)[0] == "10:00"


def free_days(service, clinic, *, first_day, days) -> dict[date, int]:
    slots = free_slots(service=service, first_day=first_day, days=days, now=NOW, clinic=clinic)
    return count_days(slots, clinic.zone)


def test_days_without_times_are_omitted(evaluation, clinic):
    counts = free_days(evaluation, clinic, first_day=date(2026, 11, 27), days=7)
    assert counts == {date(2026, 11, 27): 12} | {date(2026, 11, 30) + timedelta(days=n): 12 for n in range(4)}


def test_a_time_counts_once_when_two_therapists_have_it(evaluation, clinic):
    evaluation.therapists.add(make_therapist("Nora", position=1))
    counts = free_days(evaluation, clinic, first_day=TUESDAY, days=1)
    assert counts == {TUESDAY: 12}
    book(evaluation, therapist=evaluation.therapists.get(slug="meredith"))
    first = next_free_slots(service=evaluation, limit=1, now=NOW, clinic=clinic, first_day=TUESDAY)[0]
    assert (first.starts_at, first.therapist.name) == (NINE_ON_TUESDAY, "Nora")


def test_time_is_offered_exactly_at_the_notice_and_not_right_after(evaluation, clinic, meredith):
    """The notice is met exactly at its limit and missed right after it, both on pages and in the rule."""
    evaluation.minimum_notice_minutes = 120
    evaluation.save()
    day, at_the_limit = NINE_ON_TUESDAY.date(), NINE_ON_TUESDAY - timedelta(minutes=120)
    slot = Slot(evaluation, meredith, NINE_ON_TUESDAY)
    for now, is_offered in ((at_the_limit, True), (at_the_limit + timedelta(microseconds=1), False)):
        slots = free_slots(service=evaluation, first_day=day, days=1, now=now)
        assert (NINE_ON_TUESDAY in [slot.starts_at for slot in slots]) is is_offered
        if is_offered:
            require_free(slot=slot, mode="in_person", now=now, clinic=clinic)
        else:
            with pytest.raises(SlotNotOffered, match="notice"):
                require_free(slot=slot, mode="in_person", now=now, clinic=clinic)


def test_time_exactly_at_the_end_of_the_horizon_is_not_offered(evaluation, clinic, meredith):
    """The last day ends at midnight, exclusive."""
    evaluation.horizon_days, last_day = 8, date(2026, 12, 1)
    evaluation.save()
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens=time(22), closes=time(0))
    OpeningHours.objects.create(therapist=meredith, weekday=2, opens=time(0), closes=time(2))
    midnight = datetime(2026, 12, 2, 5, tzinfo=UTC)
    slots = free_slots(service=evaluation, first_day=last_day, days=2, now=NOW)
    assert slots[-1].starts_at == midnight - timedelta(minutes=30)
    with pytest.raises(SlotNotOffered, match="horizon"):
        require_free(slot=Slot(evaluation, meredith, midnight), mode="in_person", now=NOW, clinic=clinic)


def test_notice_hides_what_is_too_soon_and_horizon_what_is_too_far(evaluation, clinic):
    monday = date(2026, 11, 23)
    assert clock_times(evaluation, clinic, monday) == []  # the clinic's minimum notice is 12 hours
    evaluation.minimum_notice_minutes = 90
    assert clock_times(evaluation, clinic, monday)[0] == "13:00"
    evaluation.horizon_days = 8
    assert clock_times(evaluation, clinic) == WHOLE_DAY
    assert clock_times(evaluation, clinic, TUESDAY + timedelta(days=1)) == []


def test_the_horizon_ends_at_the_clinics_midnight(evaluation, clinic):
    window = bookable_time(evaluation, clinic=clinic, now=NOW)
    assert window.latest.astimezone(clinic.zone) == datetime(2027, 1, 23, tzinfo=clinic.zone)
    assert window.last_day(clinic.zone) == date(2027, 1, 22)


def test_closures_take_away_and_extra_hours_add(evaluation, meredith, clinic):
    close(NINE_ON_TUESDAY, NINE_ON_TUESDAY + timedelta(hours=4), meredith)
    HoursOverride.objects.create(
        kind="extra",
        starts_at=NINE_ON_TUESDAY + timedelta(hours=9),
        ends_at=NINE_ON_TUESDAY + timedelta(hours=10),
    )
    assert clock_times(evaluation, clinic) == [t for t in WHOLE_DAY if t >= "13:00"] + ["18:00"]


def test_a_closure_of_another_therapist_changes_nothing(evaluation, clinic):
    close(NINE_ON_TUESDAY, NINE_ON_TUESDAY + timedelta(hours=4), make_therapist("Nora"))
    assert clock_times(evaluation, clinic) == WHOLE_DAY


def test_a_day_has_the_same_times_alone_and_within_a_month(evaluation, clinic):
    """Extra hours across midnight count for both days, and start times are steps from their beginning."""
    HoursOverride.objects.create(
        kind="extra", starts_at=datetime(2026, 12, 1, 3, 10, tzinfo=UTC), ends_at=datetime(2026, 12, 1, 7, tzinfo=UTC)
    )
    month = free_slots(service=evaluation, first_day=date(2026, 11, 24), days=30, now=NOW, clinic=clinic)
    of_tuesday = [f"{s.starts_at:%H:%M}" for s in month if s.starts_at.astimezone(clinic.zone).date() == TUESDAY]
    alone = free_slots(service=evaluation, first_day=TUESDAY, days=1, now=NOW, clinic=clinic)
    assert [f"{s.starts_at:%H:%M}" for s in alone] == of_tuesday
    assert of_tuesday[0] == "05:10"


def test_a_live_hold_blocks_and_an_expired_one_does_not(evaluation, clinic):
    held = book(evaluation)
    hold_until = NOW + timedelta(minutes=10)
    Appointment.objects.filter(pk=held.pk).update(status="held", hold_expires_at=hold_until)
    assert clock_times(evaluation, clinic)[0] == "10:00"
    assert clock_times(evaluation, clinic, now=hold_until)[0] == "09:00"


def test_hours_count_only_between_their_dates(evaluation, meredith, clinic):
    OpeningHours.objects.filter(therapist=meredith).update(valid_from=TUESDAY + timedelta(days=1))
    assert clock_times(evaluation, clinic) == []
    assert clock_times(evaluation, clinic, TUESDAY + timedelta(days=1)) == WHOLE_DAY


def test_no_time_is_offered_for_a_service_that_is_not_bookable(evaluation, clinic):
    evaluation.listing = "call_us"
    assert clock_times(evaluation, clinic) == []


def test_nothing_is_offered_by_a_therapist_who_has_left(evaluation, meredith, clinic):
    meredith.is_active = False
    meredith.save()
    assert clock_times(evaluation, clinic) == []


@pytest.mark.parametrize("change", [date(2027, 3, 14), date(2026, 11, 1)])
def test_local_times_are_the_same_when_the_clocks_change(evaluation, meredith, clinic, change):
    OpeningHours.objects.filter(therapist=meredith, weekday=0).update(weekday=6)  # both changes are on Sundays
    evaluation.horizon_days = 366
    before = datetime.combine(change - timedelta(days=20), time(12), tzinfo=UTC)
    assert clock_times(evaluation, clinic, change, now=before) == WHOLE_DAY


def test_nearest_times_are_before_and_after_and_are_sorted(evaluation, clinic):
    book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    near = nearest_free_slots(
        service=evaluation, to=NINE_ON_TUESDAY + timedelta(hours=1), limit=3, now=NOW, clinic=clinic
    )
    assert [f"{slot.starts_at.astimezone(clinic.zone):%H:%M}" for slot in near] == ["09:00", "11:00", "13:00"]


def test_every_time_that_is_not_offered_is_refused_with_its_reason(evaluation, clinic, meredith):
    def reason(starts_at, mode="in_person"):
        with pytest.raises(SlotNotOffered) as refusal:
            require_free(slot=Slot(evaluation, meredith, starts_at), mode=mode, now=NOW, clinic=clinic)
        return refusal.value.reason

    assert reason(NOW + timedelta(hours=3)) == NotOfferedBecause.NOTICE
    assert reason(NINE_ON_TUESDAY + timedelta(days=70)) == NotOfferedBecause.HORIZON
    assert reason(NINE_ON_TUESDAY - timedelta(hours=1)) == NotOfferedBecause.HOURS
    assert reason(NINE_ON_TUESDAY + timedelta(minutes=10)) == NotOfferedBecause.HOURS
    assert reason(NINE_ON_TUESDAY, mode="video") == NotOfferedBecause.SERVICE
    evaluation.therapists.clear()
    assert reason(NINE_ON_TUESDAY) == NotOfferedBecause.SERVICE


def test_a_taken_time_is_refused_as_taken(evaluation, meredith, clinic):
    book(evaluation)
    with pytest.raises(SlotTaken):
        require_free(slot=Slot(evaluation, meredith, NINE_ON_TUESDAY), mode="in_person", now=NOW, clinic=clinic)


def test_a_month_costs_three_queries_with_one_and_with_many_rows(evaluation, clinic, django_assert_num_queries):
    def month():
        return free_days(evaluation, clinic, first_day=date(2026, 11, 24), days=31)

    book(evaluation)
    with django_assert_num_queries(3):
        assert len(month()) == 23
    for n in range(6):
        evaluation.therapists.add(make_therapist(f"Nora{n}", position=n))
    for n in range(12):
        for therapist in evaluation.therapists.all()[:3]:
            start = NINE_ON_TUESDAY + timedelta(days=n // 2, hours=1 + n % 2)
            if start.astimezone(clinic.zone).weekday() < 5:
                book(evaluation, therapist=therapist, starts_at=start, name=f"Bob{n} {therapist.name}")
        close(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1))
    assert Appointment.objects.count() > 20
    with django_assert_num_queries(3):
        month()
