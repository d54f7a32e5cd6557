"""The admin forms for opening hours: hours can end at midnight, and overlapping hours are refused."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from booking.models import HoursMode, HoursOverride, OpeningHours
from booking.schedule.availability import free_slots
from booking.time.opening_hours import MIDNIGHT
from education.articles.structured_data import describe_clinic
from tests.world import NOW, TUESDAY, make_therapist

ADD = "/admin/booking/openinghours/add/"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def typed(therapist, **changes) -> dict:
    form = {"therapist": therapist.pk, "weekday": 1, "opens": "22:00", "closes": "00:00", "mode": "bookable"}
    return form | {"valid_from": "", "valid_until": ""} | changes


def test_hours_until_midnight_are_saved_offered_and_shown(client, owner, meredith, call):
    assert client.post(ADD, typed(meredith)).status_code == 302
    row = OpeningHours.objects.get(closes=MIDNIGHT)
    assert str(row) == f"{meredith.name}: Tuesday 10:00 PM – midnight"
    late = [slot for slot in free_slots(service=call, first_day=TUESDAY, days=1, now=NOW) if slot.starts_at.hour == 4]
    assert [slot.starts_at.minute for slot in late] == [0, 15, 30, 45]
    page = client.get("/").content.decode()
    assert "10:00 PM – midnight" in page
    assert '"closes": "23:59"' in page.replace('":"', '": "')


def test_hours_cannot_end_before_they_begin(client, owner, meredith):
    page = client.post(ADD, typed(meredith, closes="21:00")).content.decode()
    assert "later than opening" in page
    assert not OpeningHours.objects.filter(opens=time(22)).exists()


def test_extra_hours_and_blocked_time_end_at_midnight(client, owner, meredith, call):
    extra = {"kind": "extra", "starts_at": "2026-12-05T22:00", "ends_at": "2026-12-06T00:00", "therapist": meredith.pk}
    assert client.post("/admin/booking/hoursoverride/add/", extra).status_code == 302
    saturday = date(2026, 12, 5)
    assert len(free_slots(service=call, first_day=saturday, days=1, now=NOW)) == 8
    blocked = extra | {"kind": "closure", "starts_at": "2026-12-05T23:00"}
    assert client.post("/admin/booking/hoursoverride/add/", blocked).status_code == 302
    assert HoursOverride.objects.get(kind="closure").ends_at == datetime(2026, 12, 6, 5, tzinfo=UTC)
    assert len(free_slots(service=call, first_day=saturday, days=1, now=NOW)) == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"opens": "09:00", "closes": "12:00"}, "Tuesday 9:00 AM – noon (online)"),
        ({"opens": "11:00", "closes": "13:00"}, "Tuesday 9:00 AM – noon (online)"),
        ({"opens": "16:30", "closes": "00:00"}, "Tuesday 1:00 PM – 5:00 PM (online until Dec 31, 2026)"),
    ],
)
def test_hours_that_overlap_others_are_refused_naming_the_row(client, owner, meredith, changes, named):
    OpeningHours.objects.filter(opens=time(13)).update(valid_until=date(2026, 12, 31))
    before = OpeningHours.objects.count()
    page = client.post(ADD, typed(meredith, **changes)).content.decode()
    assert f"These hours overlap {named}." in page
    assert OpeningHours.objects.count() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"opens": "12:00", "closes": "13:00"},
        {"opens": "09:00", "closes": "12:00", "mode": HoursMode.RESERVE},
        {"opens": "13:00", "closes": "17:00", "valid_from": "2027-01-01"},
        {"opens": "09:00", "closes": "12:00", "weekday": 5},
    ],
)
def test_hours_that_touch_or_differ_in_kind_or_days_are_saved(client, owner, meredith, changes):
    OpeningHours.objects.filter(opens=time(13)).update(valid_until=date(2026, 12, 31))
    assert client.post(ADD, typed(meredith, **changes)).status_code == 302


def test_hours_of_another_therapist_and_of_the_row_itself_are_no_overlap(client, owner, meredith):
    nora = make_therapist("Nora", position=1)
    OpeningHours.objects.filter(therapist=nora).delete()
    assert client.post(ADD, typed(nora, opens="09:00", closes="12:00")).status_code == 302
    row = OpeningHours.objects.get(therapist=nora)
    page = f"/admin/booking/openinghours/{row.pk}/change/"
    assert client.post(page, typed(nora, opens="09:00", closes="12:30")).status_code == 302


def test_stored_overlapping_hours_can_still_be_viewed(client, owner, meredith, call):
    twice = OpeningHours.objects.create(therapist=meredith, weekday=1, opens=time(9), closes=time(12))
    assert client.get(f"/admin/booking/openinghours/{twice.pk}/change/").status_code == 200
    assert client.get("/admin/booking/openinghours/").status_code == 200
    assert free_slots(service=call, first_day=TUESDAY, days=1, now=NOW)
    with pytest.raises(ValidationError, match="overlap Tuesday"):
        twice.full_clean()


def test_structured_data_does_not_say_closed_all_day_when_hours_end_at_midnight(clinic):
    data = describe_clinic(clinic, url="https://c.example/", image="", opening=[(0, MIDNIGHT, MIDNIGHT)])
    assert '"00:00"' in data
    assert '"23:59"' in data


def test_blocked_time_is_named_by_its_day_and_note(client, owner, meredith):
    day = datetime(2026, 11, 11, 5, tzinfo=UTC)
    holiday = HoursOverride.objects.create(
        kind="closure", starts_at=day, ends_at=day + timedelta(days=1), note="Veterans Day"
    )
    own = HoursOverride.objects.create(
        kind="extra", therapist=meredith, starts_at=day + timedelta(hours=8), ends_at=day + timedelta(hours=12)
    )
    with timezone.override(ZoneInfo("America/New_York")):
        assert re.fullmatch(r"Closed [\w, ]+2026 \(Veterans Day\)", str(holiday)) and holiday.when in str(holiday)
        assert str(own).endswith(f", {meredith.name}") and own.when in str(own)
        assert (holiday.when, own.when) == ("Wed, Nov 11, 2026", "Wed, Nov 11, 2026, 8:00 AM – noon")
    url = reverse("admin:booking_hoursoverride_delete", args=[holiday.pk])
    assert "Wed, Nov 11, 2026 (Veterans" in client.get(url).content.decode()
    client.post(url, {"post": "yes"})
    assert "Veterans" not in LogEntry.objects.get().object_repr  # staff may write a name into the note
