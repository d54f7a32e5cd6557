"""Days, counts, parts of the day, times and the wait list use one zone.

It is the caller's for calls, and the clinic's for visits in person."""

import random
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from booking.actions.change import cancel_appointment
from booking.models import Appointment, OpeningHours, WaitListEntry
from booking.schedule.clocks import clock_of_entry
from booking.schedule.visit_links import visit_path
from booking.wait_list.entries import Wishes, entry_path, unexpired_entries, wishes_of
from clinic.practice.models import Proof
from clinic.practice.values.zones import visitors_zone_name, zones_by_region
from tests.booking.waiting import joined_message, offers_by_name, wait, wait_with
from tests.clinic.letters import render_message
from tests.pages import buttons, text_of
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book, give_hours

pytestmark = pytest.mark.django_db
ZONES = [
    "America/Jamaica",
    "America/Phoenix",
    "Europe/London",
    "Asia/Kolkata",
    "Pacific/Honolulu",
    "Australia/Lord_Howe",
]
NEW_YORK = ZoneInfo("America/New_York")
PARTS = {"": (time(0), time(23, 59)), "before-work": (time(0), time(8, 59)), "lunch": (time(11, 30), time(13, 30))}
PARTS["after-work"] = (time(16, 30), time(23, 59))
DAY = timedelta(days=1)


@pytest.fixture
def monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def naive_starts(service, *, clinic, now: datetime) -> list[datetime]:
    """Return every start within the hours of `give_hours`, by counting minutes of local time."""
    today, starts = now.astimezone(NEW_YORK).date(), []
    for day in (today + n * DAY for n in range(clinic.horizon_days + 1)):
        for opens, closes in ((9, 12), (13, 17)) if day.weekday() < 5 else ():
            for minute in range(opens * 60, closes * 60 - service.minutes + 1, service.start_step_minutes):
                wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=NEW_YORK)
                starts.append(wall.astimezone(UTC))
    return [start for start in starts if start >= now + timedelta(minutes=clinic.minimum_notice_minutes)]


def listed(page: str) -> dict[date, int]:
    """Return {day: count} from the list of days."""
    rows = re.findall(r'<time datetime="(\d{4}-\d\d-\d\d)">[^<]*</time> <span class="choice-detail">(\d+) time', page)
    return {date.fromisoformat(day): int(count) for day, count in rows}


def offered(response) -> list[datetime]:
    """Return the start times of the page's buttons, in order."""
    instants = re.findall(r"/(\d{8}T\d{4})Z/hold/", " ".join(buttons(response)))
    return [datetime.strptime(text, "%Y%m%dT%H%M").replace(tzinfo=UTC) for text in instants]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("kind", ["call", "evaluation"])
def test_counts_and_times_agree_with_a_naive_list_when_seen_from_elsewhere(
    client, clinic, call, evaluation, kind, name
):
    evaluation.turnover_minutes = 0
    evaluation.save()
    service = {"call": call, "evaluation": evaluation}[kind]
    zone = ZoneInfo(name) if kind == "call" else NEW_YORK
    dice = random.Random(f"{kind} {name}")
    for part, (first, last) in PARTS.items():
        minutes = dice.randrange(11 * 365 * 24 * 60)  # from 2026 to 2036
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        today, query = now.astimezone(zone).date(), {"tz": name, "when": part}
        local = [start.astimezone(zone) for start in naive_starts(service, clinic=clinic, now=now)]
        suiting = [start for start in local if first <= start.time() <= last]
        days = {
            day: count
            for day, count in Counter(start.date() for start in suiting).items()
            if day < today + timedelta(days=28)
        }
        with time_machine.travel(now, tick=False):
            counts = listed(client.get(f"/book/{kind}/", query).text)
            assert counts == days
            for day in {today, today + DAY, *dice.sample(sorted(days), min(3, len(days)))}:
                times = client.get(f"/book/{kind}/{day}/", query)
                assert offered(times) == [start for start in suiting if start.date() == day]
                assert len(offered(times)) == counts.get(day, 0)


def test_day_without_matching_times_links_to_the_next_one_in_the_callers_zone(client, clinic, call, monday_morning):
    page = client.get("/book/call/2026-11-28/", {"tz": "Asia/Kolkata", "when": "before-work"})
    # In Kolkata, the clinic's last hours of Friday are on Saturday, and those of Monday are on Tuesday.
    assert len(offered(page)) == len(listed_hours(client, "2026-11-28"))
    empty = client.get("/book/call/2026-11-29/", {"tz": "Asia/Kolkata", "when": "before-work"})
    assert "12:00 AM IST" in text_of(empty)
    empty = empty.text
    assert "/book/call/2026-12-01/?tz=Asia%2FKolkata&amp;when=before-work" in empty
    assert "data-zone-picker" in empty


def listed_hours(client, day) -> list[datetime]:
    starts = offered(client.get(f"/book/call/{day}/", {"tz": "Asia/Kolkata"}))
    return [start for start in starts if start.astimezone(ZoneInfo("Asia/Kolkata")).hour < 9]


def test_zones_are_compared_at_the_time_that_is_shown(client, clinic, call, monday_morning):
    call.horizon_days = 150
    call.save()
    query = {"tz": "America/Jamaica"}
    winter, summer = client.get("/book/call/2026-12-01/", query), client.get("/book/call/2027-03-16/", query)
    assert "at the clinic" not in text_of(winter)
    assert winter.context["clock"].is_visitors and "Jamaica time" in text_of(winter)
    assert "8:00 AM 9:00 AM EDT at the clinic" in text_of(summer)
    eight = "/book/call/meredith/20270316T1300Z/?tz=America%2FJamaica"
    assert "8:00 AM EST, which is 9:00 AM EDT" in text_of(client.get(eight))


def test_two_names_of_one_zone_count_as_one_zone(client, clinic, call, monday_morning):
    clinic.time_zone = "America/Detroit"
    clinic.save()
    page = text_of(client.get("/book/call/2026-12-01/", {"tz": "US/Michigan"}))
    assert "9:00 AM" in page and "at the clinic" not in page


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("America/Jamaica", "America/Jamaica"),
        ("US/Michigan", "US/Michigan"),
        ("UTC", "UTC"),
        ("Etc/UTC", ""),
        ("Etc/Unknown", ""),
        ("Etc/GMT+5", ""),
        ("Factory", ""),
        ("localtime", ""),
        ("Mars/Olympus", ""),
        ("america/jamaica", ""),
        ("../../etc/passwd", ""),
        ("\0", ""),
        ("+05:30", ""),
        ("", ""),
    ],
)
def test_invalid_zone_name_falls_back_to_the_clinics_zone(client, clinic, call, monday_morning, text, name):
    assert visitors_zone_name(text) == name
    for path in ("/book/call/", "/book/call/2026-12-01/", "/book/call/meredith/20261201T1400Z/"):
        response = client.get(path, {"tz": text})
        assert response.status_code == 200
        assert response.context["clock"].is_visitors == bool(name)
    page = client.get("/book/call/wait/", {"tz": text})
    assert page.status_code == 200 and page.context["form"].clock.is_visitors == bool(name)


def test_every_zone_of_the_world_can_be_chosen_once(client, clinic, call, monday_morning):
    page = client.get("/book/call/", {"tz": "Asia/Calcutta"}).text  # the old name that browsers report
    options = re.findall(r'<option value="([^"]+)"( selected)?>', page)
    names = [name for name, _ in options]
    assert len(names) == len(set(names))
    assert {"UTC", "America/Jamaica", "Australia/Lord_Howe", *zones_by_region()["Africa"]} < set(names)
    assert [name for name, is_chosen in options if is_chosen] == ["Asia/Calcutta"]
    assert "Kolkata time" in page


def test_zones_are_grouped_and_sorted_alphabetically(client, clinic, call, monday_morning):
    page = client.get("/book/call/", {"tz": "Europe/Paris"}).text
    groups = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page, re.DOTALL)
    names = [name for name, _ in groups]
    assert names[:2] == ["Yours and the clinic’s", "United States"] and names[2].startswith("United States: ")
    assert names[3:-1] == sorted(names[3:-1]) and len(names) == len(set(names))
    shown = {name: re.findall(r"<option[^>]*>([^<]+)</option>", options) for name, options in groups}
    assert shown["Yours and the clinic’s"] == ["Eastern time (New York)", "Paris time"]
    assert shown["United States"][:3] == ["Central time", "Mountain time", "Arizona"]
    for name in names[2:]:
        assert shown[name] == sorted(shown[name], key=str.casefold), name
    assert "Berlin (Germany)" in shown["Europe"] and "North Dakota: Center" in shown[names[2]]
    assert "Troll (Antarctica)" in shown["Arctic and Antarctic"] and "Singapore" in shown["Asia"]
    assert "Halifax (Canada)" in shown["The Americas"] and "Sydney" in shown["Australia"] and shown["Other"] == ["UTC"]


def test_times_of_a_repeated_hour_are_distinguished(client, clinic, call, meredith):
    call.minutes = call.start_step_minutes = 30
    call.save()
    OpeningHours.objects.all().delete()
    give_hours(meredith, weekdays=[6], stretches=((0, 4),))
    give_hours(meredith, weekdays=[5], stretches=((20, 22),))
    with time_machine.travel(datetime(2026, 10, 20, 15, tzinfo=UTC), tick=False):
        own, twice = text_of(client.get("/book/call/2026-11-01/")), "1:30 AM {} "
        assert twice.format("EDT") in own and twice.format("EST") in own
        caller = text_of(client.get("/book/call/2026-10-25/", {"tz": "Europe/London"}))
        assert "1:30 AM BST 8:30 PM EDT" in caller and "1:30 AM GMT 9:30 PM EDT" in caller
        book(call, starts_at=datetime(2026, 11, 1, 5, 30, tzinfo=UTC), now=datetime(2026, 10, 20, 15, tzinfo=UTC))
        lunchless = text_of(client.get("/book/call/2026-11-01/"))
        assert twice.format("EDT") not in lunchless and twice.format("EST") in lunchless


def test_moving_a_call_shows_the_callers_days_and_times(client, clinic, call, monday_morning):
    visit = book(call, time_zone="Australia/Sydney")
    path = visit_path(visit, now=NOW)
    days = listed(client.get(f"{path}move/").text)
    assert date(2026, 12, 5) in days and date(2026, 11, 30) not in days  # from the clinic's Friday, and from its Sunday
    rows = client.get(f"{path}move/2026-12-05/")
    assert len(re.findall(r'href="[^"]*/move/\d{8}T\d{4}Z/', rows.text)) == days[date(2026, 12, 5)]
    assert "1:00 AM 9:00 AM EST" in text_of(rows)


# The wait list


def typed(**changes):
    days = {"part_of_day": "after-work", "first_on": "2026-11-24", "last_on": "2026-12-24"}
    who = {"name": "Walter Waiting", "email": "walter@example.com", "phone": "603 555 0188", "mode": "phone"}
    return {**days, **who, **changes}


@pytest.mark.usefixtures("monday_morning")
def test_wish_stores_the_zone_in_which_it_was_made(client, call, evaluation):
    page = client.get("/book/call/wait/", {"tz": "Asia/Kolkata"})
    assert "Kolkata time" in text_of(page)
    assert client.post("/book/call/wait/?tz=Asia/Kolkata", typed()).status_code == 303
    assert "Kolkata time" not in text_of(client.get("/book/evaluation/wait/", {"tz": "Asia/Kolkata"}))
    client.post("/book/evaluation/wait/?tz=Asia/Kolkata", typed(mode="in_person"))
    assert dict(WaitListEntry.objects.values_list("service__slug", "time_zone")) == {
        "call": "Asia/Kolkata",
        "evaluation": "",
    }


def test_page_and_email_show_the_zone_of_a_wish(client, clinic, call, evaluation, monday_morning):
    for service, words in ((call, "Kolkata time"), (evaluation, "Eastern time")):
        wishes = Wishes(TUESDAY, TUESDAY, "after-work", "Asia/Kolkata")
        entry = wait(service, wishes=wishes)
        assert words in text_of(client.get(entry_path(entry, clinic=clinic, now=NOW)))
        mail = render_message(joined_message(entry), now=NOW)
        assert words in mail.text and words in mail.html


@pytest.mark.parametrize(
    ("stored", "words"), [(None, "Kolkata time"), ("", "Eastern time"), ("Asia/Kolkata", "Kolkata time")]
)
def test_asking_for_earlier_than_a_call_uses_the_zone_of_the_caller_or_of_the_wish(
    client, clinic, call, monday_morning, stored, words
):
    visit = book(call, time_zone="Asia/Kolkata")
    if stored is not None:
        wait_with(visit, wishes=Wishes(TUESDAY - DAY, TUESDAY, "lunch", stored))
    path = visit_path(visit, proof=Proof.MAILED, now=NOW) + "earlier/"
    assert words in text_of(client.get(path))
    days = {"part_of_day": "after-work", "first_on": "2026-11-24", "last_on": "2026-12-01"}
    assert client.post(path, days).status_code == 303
    entry = WaitListEntry.objects.get()
    assert (entry.part_of_day, entry.time_zone) == ("after-work", "Asia/Kolkata" if stored is None else stored)


def test_freed_time_is_compared_with_a_wish_in_the_zone_of_the_wish(clinic, call):
    visit = book(call)  # 9:00 in New York, 19:30 in Kolkata, 1:00 the next day in Sydney
    wednesday = TUESDAY + DAY
    hits = [
        ("Kamala Kolkata", Wishes(TUESDAY, TUESDAY, "after-work", "Asia/Kolkata")),
        ("Sydney Sider", Wishes(wednesday, wednesday, "before-work", "Australia/Sydney")),
        ("Nancy Near", Wishes(TUESDAY, TUESDAY)),
    ]
    misses = [
        ("Kiran Kolkata", Wishes(TUESDAY, TUESDAY, "before-work", "Asia/Kolkata")),
        ("Sydney Sleeper", Wishes(TUESDAY, TUESDAY, "", "Australia/Sydney")),
        ("Nora Near", Wishes(TUESDAY, TUESDAY, "after-work")),
    ]
    for name, wishes in hits + misses:
        wait(call, name, wishes=wishes, email=f"{name.replace(' ', '.').lower()}@example.com")
    cancel_appointment(appointment=visit, now=NOW)
    assert set(offers_by_name()) == {name for name, _ in hits}


def test_wish_for_a_call_that_became_a_visit_uses_the_clinics_zone(clinic, evaluation):
    entry = wait(evaluation, wishes=Wishes(TUESDAY, TUESDAY, "after-work", "Asia/Kolkata"))
    assert not clock_of_entry(entry, clinic=clinic).is_visitors
    assert not wishes_of(entry, clinic=clinic).suit(NINE_ON_TUESDAY, clinic)


def test_wish_for_today_is_valid_until_the_callers_day_is_over(clinic, call):
    wait(call, wishes=Wishes(NOW.date(), NOW.date(), "", "Pacific/Honolulu"))
    midnight = datetime(2026, 11, 24, 5, tzinfo=UTC)  # midnight in New York, 19:00 on the 23rd in Honolulu
    assert unexpired_entries(now=midnight + timedelta(hours=4)).exists()
    assert not unexpired_entries(now=midnight + timedelta(days=1, hours=4)).exists()


def test_staff_see_the_zone_of_a_wish(client, clinic, call, django_user_model, monday_morning):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    entry = wait(call, wishes=Wishes(TUESDAY, TUESDAY, "after-work", "Asia/Kolkata"))
    everything = text_of(client.get(reverse("admin:booking_waitlistentry_changelist")))
    assert "after work (Kolkata time)" in everything
    assert "Kolkata time" in text_of(client.get(reverse("admin:booking_waitlistentry_change", args=[entry.pk])))


def test_time_chosen_in_the_visitors_zone_is_held_and_booked(client, call, monday_morning):
    query = "?tz=Asia/Kolkata"
    page = client.get(f"/book/call/2026-12-01/{query}")
    first = next(where for where in buttons(page) if "20261201T1400Z" in where)
    held = client.post(first, follow=True)
    assert "7:30 PM" in text_of(held) and "9:00 AM EST at the clinic" in text_of(held)
    again = text_of(client.get(f"/book/call/2026-12-01/{query}"))
    assert "7:30 PM" in again.split("for you")[0]
    where = held.redirect_chain[-1][0]
    form = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "phone"}
    key = held.context["form"].initial["idempotency_key"]
    assert client.post(where, {**form, "idempotency_key": key}).status_code == 303
    visit = Appointment.objects.get(status="booked")
    assert (visit.starts_at, visit.visitor_time_zone) == (NINE_ON_TUESDAY, "Asia/Kolkata")


def test_service_in_both_modes_shows_the_clinics_time_with_the_visitors_beside_it(client, clinic, call, monday_morning):
    call.offered_modes = ["in_person", "phone"]
    call.save()
    page = text_of(client.get("/book/call/2026-12-01/", {"tz": "America/Los_Angeles", "when": "before-work"}))
    assert "is free before work" in page
    page = text_of(client.get("/book/call/2026-12-01/", {"tz": "America/Los_Angeles"}))
    assert "Your time (Pacific time (Los Angeles))" in page
    assert "9:00 AM 6:00 AM PST where you are" in page
    client.post("/book/call/wait/?tz=America/Los_Angeles", typed())
    assert WaitListEntry.objects.get().time_zone == ""
