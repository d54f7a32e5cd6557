"""The contents of the Today page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import time_machine

from booking.actions.attend import mark_arrived, mark_no_show
from booking.actions.change import cancel_appointment
from booking.models import HoursOverride
from booking.wait_list.entries import Wishes
from clinic.outbox.models import Message, State
from clinic.practice.models import User
from tests.booking.today import make_flag, read_today
from tests.booking.visitors import DAY
from tests.booking.waiting import wait, wait_with
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

EIGHT_ON_TUESDAY = NINE_ON_TUESDAY - timedelta(hours=1)


def test_visits_of_the_day_are_listed_in_order_with_their_details(evaluation, call, front_desk):
    last_week = book(call, starts_at=NINE_ON_TUESDAY - timedelta(days=6), name="Carol Open")
    came = book(call, starts_at=NINE_ON_TUESDAY - timedelta(days=6, hours=-2), name="Bob Back")
    mark_arrived(appointment=came, by=front_desk, now=came.ends_at)
    book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=2), name="Bob Back")
    book(evaluation)
    cancel_appointment(appointment=book(call, starts_at=NINE_ON_TUESDAY + timedelta(hours=1)), now=NOW)
    today = read_today(now=EIGHT_ON_TUESDAY)
    assert [(v.clock, v.appointment.patient.name, v.is_new) for v in today.visits] == [
        ("9:00 AM", "Alice Runner", True),
        ("11:00 AM", "Bob Back", False),
    ]
    assert today.unmarked == [last_week]
    assert today.next_visits == []


def test_day_is_in_the_clinics_time_zone_and_not_utc(evaluation):
    book(evaluation)
    assert read_today(now=datetime(2026, 12, 1, 4, 59, tzinfo=UTC)).visits == []
    assert len(read_today(now=datetime(2026, 12, 1, 5, 0, tzinfo=UTC)).visits) == 1
    assert len(read_today(now=datetime(2026, 12, 2, 4, 59, tzinfo=UTC)).visits) == 1


def test_an_empty_day_names_the_next_visit(evaluation):
    visit = book(evaluation)
    today = read_today(now=NOW)
    assert today.visits == [] and not today.is_closed
    assert [one.appointment for one in today.next_visits] == [visit]


def test_closed_day_is_named_closed_and_shows_the_next_day_with_visits(evaluation):
    later = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1), name="Bob")
    visit = book(evaluation)
    book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=1), name="Carol")
    sunday = read_today(now=NINE_ON_TUESDAY - timedelta(days=2))
    assert (sunday.is_closed, sunday.holiday, sunday.gaps) == (True, "", [])
    assert [one.appointment for one in sunday.next_visits] == [visit, later]
    christmas = datetime(2026, 12, 25, 15, tzinfo=UTC)
    HoursOverride.objects.create(
        kind="closure", starts_at=christmas - timedelta(hours=10), ends_at=christmas + timedelta(hours=14)
    )
    today = read_today(now=christmas)
    assert (today.is_closed, today.holiday, today.next_visits) == (True, "Christmas Day", [])


def test_gaps_are_open_time_of_half_an_hour_and_more(evaluation, meredith):
    book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(minutes=30))
    HoursOverride.objects.create(
        kind="closure",
        therapist=meredith,
        starts_at=NINE_ON_TUESDAY + timedelta(hours=6),
        ends_at=NINE_ON_TUESDAY + timedelta(hours=7, minutes=45),
    )
    gaps = read_today(now=EIGHT_ON_TUESDAY).gaps
    assert [str(gap) for gap in gaps] == ["9:00 AM – 9:30 AM", "10:30 AM – 12:00 PM", "1:00 PM – 3:00 PM"]


def test_gaps_name_the_therapist_where_there_are_two(evaluation):
    make_therapist("Nora", position=1)
    assert "9:00 AM – 12:00 PM, Nora" in [str(gap) for gap in read_today(now=EIGHT_ON_TUESDAY).gaps]


def test_only_unmarked_visits_are_asked_about(evaluation, front_desk):
    alices, bobs, carols = (
        book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=n), name=name)
        for n, name in ((0, "Alice"), (1, "Bob"), (2, "Carol"))
    )
    mark_arrived(appointment=alices, by=front_desk, now=alices.starts_at)
    mark_no_show(appointment=bobs, by=front_desk, now=bobs.ends_at)
    assert read_today(now=NINE_ON_TUESDAY + timedelta(hours=8)).unmarked == []
    assert read_today(now=NINE_ON_TUESDAY + timedelta(days=1)).unmarked == [carols]


def test_open_flags_and_messages_that_did_not_go_out_are_shown(evaluation):
    visit = book(evaluation)
    flag = make_flag(visit, NOW)
    Message.objects.filter(kind="booking_booked").update(
        state=State.FAILED, reason="mailbox unknown", settled_at=NOW, lease_until=None
    )
    today = read_today(now=NOW + timedelta(hours=1))
    assert [intake.flags for intake in today.flagged] == [[flag]]
    assert [message.kind for message in today.failed_messages] == ["booking_booked"]
    assert today.overdue_messages == []
    late = read_today(now=NINE_ON_TUESDAY - timedelta(hours=40))
    assert [message.kind for message in late.overdue_messages] == ["booking_reminder_48h"]


def test_flags_of_one_intake_are_one_line_worst_first(evaluation):
    alices, bobs = book(evaluation), book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1), name="Bob")
    flag = make_flag(alices, NOW, rule="RF16", level="U")
    for rule, level in (("RF01", "E"), ("RF02", "E"), ("RF36", "T")):
        make_flag(alices, NOW + timedelta(minutes=5), rule=rule, level=level, response=flag.response)
    make_flag(bobs, NOW - timedelta(hours=1), rule="RF17", level="U")

    first, second = read_today(now=NOW + timedelta(minutes=40)).flagged
    ids = [one.rule_id for one in first.flags]
    assert (sorted(ids[:2]), ids[2:]) == (["RF01", "RF02"], ["RF16", "RF36"])
    assert [(one.level, count) for one, count in first.counts] == [("E", 2), ("U", 1), ("T", 1)]
    assert (first.first_raised_at, first.is_late, first.is_unread, first.wants_call) == (NOW, True, True, False)
    assert (second.worst.rule_id, second.is_late) == ("RF17", False)


def test_flag_whose_answer_was_changed_is_shown_as_changed(evaluation):
    visit = book(evaluation)
    withdrawn = make_flag(visit, NOW, rule="RF05", level="E")
    withdrawn.current_level, withdrawn.lowered_at, withdrawn.patient_acknowledged_at = "", NOW, NOW
    withdrawn.save()
    standing = make_flag(visit, NOW, rule="RF01", level="E", response=withdrawn.response)
    [intake] = read_today(now=NOW).flagged
    assert ([(one.pk, count) for one, count in intake.counts], intake.withdrawn) == ([(standing.pk, 1)], 1)
    assert intake.is_unread
    standing.patient_acknowledged_at = NOW
    standing.save()
    [intake] = read_today(now=NOW).flagged
    assert not intake.is_unread


def test_flags_of_one_level_are_ordered_by_deadline(evaluation):
    visit = book(evaluation)
    slow = make_flag(visit, NOW, rule="RF18", level="U", action="48 h")
    for rule, action in (("RF27", "same day"), ("RF16", "24 h"), ("RF40", "1 week")):
        make_flag(visit, NOW + timedelta(minutes=5), rule=rule, level="U", action=action, response=slow.response)
    [intake] = read_today(now=NOW).flagged
    assert [flag.action for flag in intake.flags] == ["same day", "24 h", "48 h", "1 week"]


def test_today_costs_the_same_with_one_and_with_thirty_rows(evaluation, django_assert_num_queries):
    visit = book(evaluation)
    make_flag(visit, NOW)
    with django_assert_num_queries(35):
        read_today(now=EIGHT_ON_TUESDAY)
    for number in range(8):
        nora = make_therapist(f"Nora{number}", position=number)
        evaluation.therapists.add(nora)
        for hour in (0, 1, 4, 5):
            visit = book(
                evaluation,
                therapist=nora,
                starts_at=NINE_ON_TUESDAY + timedelta(hours=hour),
                name=f"Bob {number} {hour}",
            )
            make_flag(visit, NOW)
    with django_assert_num_queries(35):
        today = read_today(now=EIGHT_ON_TUESDAY)
        [visit.appointment.service.name for visit in today.visits]
    assert len(today.visits) == 33


def test_wait_list_count_includes_only_entries_that_can_still_get_an_offer(evaluation, call):
    yesterday = Wishes(NOW.date() - DAY, NOW.date() - DAY)
    wait(evaluation, wishes=yesterday)
    assert read_today(now=NOW).waiting == 0
    wait(call, name="Honor Lulu", wishes=replace(yesterday, time_zone="Pacific/Honolulu"))
    assert read_today(now=NOW).waiting == 1
    visit = book(evaluation, name="Eve Earlier")
    wait_with(visit)
    assert read_today(now=NOW).waiting == 2
    cancel_appointment(appointment=visit, now=NOW)
    assert read_today(now=NOW).waiting == 1


def test_patient_is_still_new_after_an_unmarked_visit(evaluation, call, front_desk):
    earlier = book(call, starts_at=NINE_ON_TUESDAY - timedelta(days=6))
    book(evaluation)
    assert [visit.is_new for visit in read_today(now=EIGHT_ON_TUESDAY).visits] == [True]
    mark_arrived(appointment=earlier, by=front_desk, now=EIGHT_ON_TUESDAY)
    assert [visit.is_new for visit in read_today(now=EIGHT_ON_TUESDAY).visits] == [False]


def test_visit_of_today_that_has_begun_can_be_marked_as_missed_there(client, evaluation):
    visit = book(evaluation)
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
    button = f"/admin/booking/appointment/{visit.pk}/act/no-show/"
    with time_machine.travel(EIGHT_ON_TUESDAY, tick=False):
        client.force_login(User.objects.get(name="Olga"))
        assert button not in client.get("/admin/").content.decode()
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        client.force_login(User.objects.get(name="Olga"))
        assert button in client.get("/admin/").content.decode()
        page = client.post(button, {"back": "today", "version": visit.shown}, follow=True).content.decode()
    said = f'<a href="/admin/booking/appointment/{visit.pk}/change/">Alice Runner, {visit.reference}</a> is marked as a no-show.'
    assert said in page and "Undo no-show" in page


def test_message_after_a_mark_names_the_patient_and_is_in_no_cookie(client, evaluation):
    visit = book(evaluation)
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(days=1), tick=False):
        client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
        address = f"/admin/booking/appointment/{visit.pk}/act/arrived/"
        answer = client.post(address, {"back": "unmarked", "version": visit.shown})
        assert "Alice" not in answer.cookies.output() and "messages" not in answer.cookies
        assert f"Alice Runner, {visit.reference}</a> is marked as arrived." in client.get("/admin/").content.decode()
