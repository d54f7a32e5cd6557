"""Offers of a freed time: recipients, when they are sent, their text, and when they are withdrawn."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.message_kinds.wait_list.slot_offer import NO_LONGER_WAITS
from booking.messages.names import ON_WAIT_LIST
from booking.models import SlotOffer, WaitListEntry
from booking.wait_list.entries import Wishes, join_wait_list, leave_wait_list
from clinic.audit.models import AccessEvent
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.messages.suppressions import suppress
from clinic.outbox.models import Message, MessageRule, Suppression
from clinic.outbox.text.placeholders import clinical_terms
from clinic.practice.models import Clinic
from tests.booking.waiting import (
    DECEMBER,
    FREED_AT,
    book_later,
    joined_message,
    message_about,
    offers_by_name,
    wait,
    wait_with,
)
from tests.clinic.letters import fate, render_message, sweep
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book, give_hours, make_therapist

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def why_not(offer, now=NOW + FREED_AT):
    return find_kind("booking_offer").relevance(message_about(offer), now)


# Recipients


def test_a_cancelled_time_is_offered_once_it_cannot_be_undone(evaluation):
    visit, entry = book(evaluation), wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    assert (offer.entry, offer.starts_at, offer.taken_at) == (entry, NINE_ON_TUESDAY, None)
    message = message_about(offer)
    assert message.due_at == NOW + FREED_AT
    assert message.not_after == offer.expires_at == NINE_ON_TUESDAY - 12 * HOUR  # the clinic's notice


def test_a_moved_visits_old_time_is_offered(evaluation):
    visit = book(evaluation)
    wait(evaluation)
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + DAY, now=NOW)
    assert SlotOffer.objects.get().starts_at == NINE_ON_TUESDAY


def test_undoing_withdraws_offers_before_they_are_sent(evaluation):
    visit = book(evaluation)
    wait(evaluation)
    cancelled = cancel_appointment(appointment=visit, now=NOW)
    message = message_about(SlotOffer.objects.get())
    undo_cancellation(appointment=cancelled, now=NOW + FREED_AT / 2)
    assert not SlotOffer.objects.exists()
    assert fate(message) == ("skipped", "the cancellation was undone")
    cancel_appointment(appointment=visit, now=NOW + FREED_AT / 2)
    assert SlotOffer.objects.count() == 1


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(TUESDAY + DAY, TUESDAY + 9 * DAY),
        Wishes(TUESDAY - 5 * DAY, TUESDAY - DAY),
        Wishes(TUESDAY, TUESDAY, "before-work"),
        Wishes(TUESDAY, TUESDAY, "after-work"),
    ],
)
def test_patient_whose_wishes_do_not_match_gets_no_offer(evaluation, wishes):
    visit = book(evaluation)
    wait(evaluation, wishes=wishes)
    cancel_appointment(appointment=visit, now=NOW)
    assert not SlotOffer.objects.exists()


def test_patient_whose_part_of_day_matches_gets_an_offer(evaluation, meredith):
    give_hours(meredith, weekdays=[1], stretches=[(8, 9)])
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY - HOUR)
    wait(evaluation, wishes=Wishes(TUESDAY, TUESDAY, "before-work"))
    cancel_appointment(appointment=visit, now=NOW)
    assert SlotOffer.objects.get().starts_at == NINE_ON_TUESDAY - HOUR


def test_patient_with_an_earlier_visit_or_who_freed_the_time_gets_no_offer(evaluation):
    soon = book(evaluation, name="Sooner Runner", starts_at=NINE_ON_TUESDAY - DAY)
    wait_with(soon)
    wait(evaluation, name="Sooner Still", email="sooner@example.com")
    book(evaluation, name="Sooner Still", email="sooner@example.com", starts_at=NINE_ON_TUESDAY - DAY + HOUR)
    alices = book(evaluation)
    wait_with(alices)
    cancel_appointment(appointment=alices, now=NOW)
    assert not SlotOffer.objects.exists()


def test_no_offer_is_made_to_ended_or_served_entries_or_for_another_therapist(evaluation):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    visit = book(evaluation)
    leave_wait_list(entry=wait(evaluation, name="Lea Left"), now=NOW)
    served = wait(evaluation, name="Sam Served")
    WaitListEntry.objects.filter(pk=served.pk).update(status="served", appointment=visit, ended_at=NOW)
    wait(evaluation, name="Norbert Nora", therapist=nora)
    cancel_appointment(appointment=visit, now=NOW)
    assert not SlotOffer.objects.exists()


def test_another_service_is_offered_the_start_that_the_freed_time_makes_possible(evaluation, call):
    book(evaluation, name="Before Her", starts_at=NINE_ON_TUESDAY)
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    wait(call)
    cancel_appointment(appointment=visit, now=NOW)
    assert SlotOffer.objects.get().starts_at == NINE_ON_TUESDAY + HOUR


def test_freed_time_too_short_for_the_service_is_not_offered(evaluation, call):
    visit = book(call, starts_at=NINE_ON_TUESDAY)
    book(call, name="Next Caller", starts_at=NINE_ON_TUESDAY + timedelta(minutes=15))
    wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    assert not SlotOffer.objects.exists()


def test_longest_waiting_five_get_the_offer_first(evaluation):
    visit = book(evaluation)
    for number in range(7):
        wait(evaluation, name=f"W{number} Waiting", now=NOW - timedelta(hours=number))
    cancel_appointment(appointment=visit, now=NOW)
    due = {name: message_about(offer).due_at - NOW - FREED_AT for name, offer in offers_by_name().items()}
    later = timedelta(minutes=30)
    assert due == {f"W{number} Waiting": later if number < 2 else timedelta(0) for number in range(7)}


def test_no_offer_is_made_when_the_time_is_too_near(evaluation, front_desk):
    visit = book(evaluation)
    wait(evaluation)
    cancel_appointment(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY - 11 * HOUR)
    assert not SlotOffer.objects.exists()


def test_cancelling_with_thirty_waiting_keeps_to_a_query_limit(evaluation, django_assert_max_num_queries):
    visit = book(evaluation)
    for number in range(30):
        wait(evaluation, name=f"W{number} Waiting")
    with django_assert_max_num_queries(30 * 7 + 20):  # a row, a message and what a savepoint costs, for each
        cancel_appointment(appointment=visit, now=NOW)
    assert SlotOffer.objects.count() == 30


# Text of an offer, and when it is withdrawn


def test_offer_email_shows_the_time_and_no_clinical_detail(evaluation, post_office):
    evaluation.name = "Pelvic floor evaluation"
    evaluation.save()
    visit = book(evaluation)
    wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    sweep(now=NOW + FREED_AT)
    mail = next(mail for mail in post_office.mails if mail["Subject"].startswith("A time is free"))
    text = mail.get_body(("plain",)).get_content()
    assert "Tuesday, December 1, 9:00 AM EST" in mail["Subject"] and "9:00 AM EST" in text
    assert "/offers/" in text and "/waiting/" in text and "(603) 555-0123" in text
    assert "Reference" not in text
    assert mail["List-Unsubscribe"].endswith("/leave/>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for part in (text, mail.get_body(("html",)).get_content()):
        assert "pelvic" not in part.lower() and "walter" not in part.lower() and "alice" not in part.lower()
        assert not clinical_terms(part)


def test_offer_of_a_call_shows_the_callers_local_time(call):
    visit = book(call)
    wait(call, time_zone="Europe/Paris")
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    mail = render_message(message_about(offer), now=NOW)
    assert "3:00 PM CET" in mail.subject
    assert "Tuesday, December 1, 3:00 PM CET\n9:00 AM EST at the clinic\n" in mail.text
    assert "phone" in mail.text.lower()


def test_offer_is_sent_in_the_morning_when_a_time_is_freed_at_night(evaluation, post_office):
    visit = book(evaluation)
    wait(evaluation)
    night = NINE_ON_TUESDAY - timedelta(days=4, hours=6)  # 3:00 AM
    cancel_appointment(appointment=visit, now=night)
    sweep(now=night + FREED_AT)
    message = message_about(SlotOffer.objects.get())
    assert fate(message) == ("waiting", "quiet hours")
    assert message.next_attempt_at == NINE_ON_TUESDAY - timedelta(days=4, hours=1)


def test_offer_is_skipped_when_the_time_is_taken_or_the_patient_no_longer_waits(evaluation, front_desk):
    visit = book(evaluation)
    walter, wilma = wait(evaluation), wait_with(book_later(evaluation, "Wilma Waiting"))
    cancel_appointment(appointment=visit, now=NOW)
    offers = offers_by_name()
    assert why_not(offers["Walter Waiting"]) is None and why_not(offers["Wilma Waiting"]) is None
    assert "no longer offered" in why_not(offers["Wilma Waiting"], now=NINE_ON_TUESDAY - 12 * HOUR)
    leave_wait_list(entry=walter, now=NOW)
    gone = NO_LONGER_WAITS
    assert why_not(offers["Walter Waiting"]) == gone
    book(evaluation, name="Faster Runner")
    assert why_not(offers["Wilma Waiting"]) == "the time is taken"
    move_appointment(appointment=wilma.appointment, starts_at=NINE_ON_TUESDAY - DAY, now=NOW)
    assert why_not(offers["Wilma Waiting"]) == gone
    SlotOffer.objects.all().delete()
    assert "not freed" in why_not_gone()


def why_not_gone():
    message = Message.objects.filter(kind="booking_offer").first()
    return find_kind("booking_offer").relevance(message, NOW)


def test_offer_is_withdrawn_when_the_later_visit_can_no_longer_be_moved(evaluation, clinic):
    clinic.minimum_notice_minutes = 60
    clinic.save()
    visit, later = book(evaluation), book(evaluation, name="Wilma Waiting", starts_at=NINE_ON_TUESDAY + 4 * HOUR)
    wait_with(later)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    assert why_not(offer, now=NINE_ON_TUESDAY - 21 * HOUR) is None
    assert why_not(offer, now=NINE_ON_TUESDAY - 20 * HOUR) == NO_LONGER_WAITS


# Joining and leaving


def test_joining_again_from_a_visit_updates_the_wish_and_keeps_the_place(evaluation):
    visit = book_later(evaluation)
    first = wait_with(visit)
    again = wait_with(visit, wishes=Wishes(TUESDAY, TUESDAY), now=NOW + HOUR)
    assert again.pk == first.pk
    assert (again.first_on, again.appointment, again.created_at) == (TUESDAY, visit, NOW)


def test_patient_who_left_can_join_again(evaluation):
    first = wait(evaluation)
    leave_wait_list(entry=first, now=NOW)
    leave_wait_list(entry=first, now=NOW + HOUR)
    assert first.ended_at == NOW
    assert wait(evaluation).pk != first.pk


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("wait_list_days_are_in_order", {"last_on": date(2026, 1, 1)}),
        ("wait_list_mode_is_known", {"mode": "by_owl"}),
        ("wait_list_part_of_day_is_known", {"part_of_day": "midnight"}),
        ("wait_list_ends_at_an_instant", {"status": "left"}),
        ("wait_list_ends_at_an_instant", {"ended_at": NOW}),
        ("wait_list_serves_with_a_visit", {"status": "served", "ended_at": NOW}),
    ],
)
def test_an_impossible_entry_is_refused(evaluation, constraint, changes):
    entry = wait(evaluation)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        WaitListEntry.objects.filter(pk=entry.pk).update(**changes)


def test_constraints_refuse_a_second_entry_for_a_service_and_a_second_offer_of_a_time(evaluation):
    visit, entry = book(evaluation), wait(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    assert_refused("wait_list_holds_a_patient_once_for_a_service", entry)
    assert_refused("slot_offer_once_for_a_freed_time", offer)
    SlotOffer.objects.update(taken_at=NOW)
    assert_refused("slot_offer_serves_an_entry_once", offer, freed_version=9, taken_at=NOW)
    assert_refused("slot_offer_ends_before_the_visit", offer, freed_version=9, expires_at=offer.starts_at + HOUR)


def assert_refused(constraint, row, **changes):
    """Check that a copy of `row` with `changes` violates `constraint`."""
    copy = type(row)(**{field.attname: getattr(row, field.attname) for field in row._meta.fields[1:]} | changes)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        copy.save()


def test_joining_and_leaving_are_recorded_in_the_access_log(evaluation):
    visit = book_later(evaluation)
    entry = join_wait_list(
        patient=visit.patient, service=evaluation, mode="in_person", wishes=DECEMBER, appointment=visit, now=NOW
    )
    leave_wait_list(entry=entry, now=NOW)
    trail = AccessEvent.objects.filter(object_type="booking.waitlistentry", patient_ids=[visit.patient_id])
    assert sorted(trail.values_list("action", flat=True)) == ["C", "U"]


# The email after joining by the form


def link_out(mail):
    return re.search(r"http://[^/]+(/waiting/[\w-]{43}/)", mail.get_body(("plain",)).get_content())[1]


def test_mail_after_joining_has_links_to_see_and_leave_the_list(client, evaluation, post_office):
    entry = wait(evaluation)
    sweep(now=NOW)
    (mail,) = post_office.mails
    assert (mail["To"], mail["Subject"]) == ("walter@example.com", find_kind(ON_WAIT_LIST).template.subject)
    path = link_out(mail)
    assert mail["List-Unsubscribe"].endswith(f"{path}leave/>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for part in (mail.get_body((kind,)).get_content() for kind in ("plain", "html")):
        assert f"{path}" in part
        assert "walter" not in part.lower() and evaluation.name.lower() not in part.lower()
    with time_machine.travel(NOW, tick=False):
        assert client.get(path).context["is_waiting"]
        assert client.post(path + "leave/", {"List-Unsubscribe": "One-Click"}).status_code == 204
    entry.refresh_from_db()
    assert entry.status == "left"


@pytest.mark.parametrize(("part", "words"), [("after-work", "after work"), ("", "any time of day")])
def test_mail_after_joining_repeats_the_days_and_the_part_of_day(evaluation, post_office, part, words):
    wait(evaluation, wishes=Wishes(TUESDAY, TUESDAY + timedelta(days=7), part_of_day=part))
    sweep(now=NOW)
    for kind in ("plain", "html"):
        text = post_office.mails[0].get_body((kind,)).get_content()
        assert f"You chose: Tue, Dec 1 – Tue, Dec 8, {words}." in text


def test_joining_again_by_the_form_changes_nothing(evaluation):
    first = wait(evaluation)
    again = wait(evaluation, wishes=Wishes(TUESDAY, TUESDAY), now=NOW + HOUR)
    assert (again.pk, again.first_on, again.created_at) == (first.pk, first.first_on, NOW)


def test_email_after_joining_is_sent_at_night_too_and_once_a_day(evaluation, post_office):
    night = NINE_ON_TUESDAY - timedelta(hours=6)
    for hour in range(2):
        wait(evaluation, now=night + timedelta(hours=hour))
        sweep(now=night + timedelta(hours=hour))
    assert len(post_office.mails) == 1


def test_mail_after_joining_is_skipped_when_the_patient_left_before_it_was_sent(evaluation, post_office):
    left = wait(evaluation)
    leave_wait_list(entry=left, now=NOW)
    sweep(now=NOW)
    state, reason = fate(joined_message(left))
    assert state == "skipped" and "has left" in reason
    wait(evaluation, now=NOW + HOUR)
    sweep(now=NOW + HOUR)
    assert len(post_office.mails) == 1


def test_joining_from_a_visit_sends_no_mail(evaluation):
    entry = wait_with(book_later(evaluation))
    assert not Message.objects.filter(subject_id=entry.pk).exists()


@pytest.mark.parametrize(
    ("why", "outcome"), [("bounced", "failed"), ("complained", "failed"), ("unsubscribed", "sent")]
)
def test_email_after_joining_is_skipped_for_bounced_but_not_for_unsubscribed_addresses(
    evaluation, post_office, why, outcome
):
    suppress(address="walter@example.com", why=Suppression.Why(why), now=NOW)
    entry = wait(evaluation)
    sweep(now=NOW)
    assert fate(joined_message(entry))[0] == outcome
    assert len(post_office.mails) == (outcome == "sent")


def test_rule_disables_or_rewrites_the_email(evaluation, post_office):
    rule = MessageRule.objects.create(kind="booking_on_wait_list", subject="Noted at {clinic}", text="Call {phone}.")
    wait(evaluation)
    sweep(now=NOW)
    assert post_office.mails[0]["Subject"] == f"Noted at {Clinic.objects.current().name}"
    rule.is_active = False
    rule.save()
    entry = wait(evaluation, name="Wilma Waiting")
    sweep(now=NOW)
    state, reason = fate(joined_message(entry))
    assert state == "skipped" and "switched off" in reason
