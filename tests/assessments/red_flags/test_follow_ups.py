"""What staff did about a flag is kept in order; only reaching the patient, or deciding, settles it."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse

from assessments.intake.responses import save_page
from assessments.models import Finding, Flag, FlagFollowUp, FollowUpKind, Outcome, Reached, Response, StaffAlert
from assessments.red_flags.advice import find_current_advice
from assessments.red_flags.alerts import AGAIN_AFTER, STAFF_FLAG
from assessments.red_flags.flags import acknowledge_flag, acknowledge_shown, mark_shown, request_callback
from assessments.red_flags.follow_ups import Done, FlagChanged, NothingToReopen, record_follow_up, reopen_flag
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Message
from tests.assessments.red_flags.alerts import EMERGENCY, URGENT, send_due
from tests.booking.locking import kinds_of, race, wait_until
from tests.factories import UserFactory
from tests.world import NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEFT_WORD = Done(reached="not-reached", outcome="left-message")
CALLED = Done(reached="phone", outcome="talked", note="Runs no more this week")


@pytest.fixture
def flag(response, charlie):
    """An emergency flag of Alice's intake, raised at NOW."""
    save_page(response=response, page="safety", answers=EMERGENCY, now=NOW)
    return response.flags.get()


def follow_up(flag, done, *, by, settles=False, at=NOW + MINUTE):
    flag.refresh_from_db()
    record_follow_up(versions={flag.pk: flag.version}, done=done, settles=settles, by=by, now=at)
    flag.refresh_from_db()
    return flag.follow_ups.last()


def raise_again(flag, at):
    save_page(response=flag.response, page="safety", answers={"rf.leg": ["none"]}, now=at)
    save_page(response=flag.response, page="safety", answers=EMERGENCY, now=at)
    flag.refresh_from_db()


def seen_after(flag):
    return Flag.objects.with_first_seen().get(pk=flag.pk).minutes_to_seen


# What is kept


def test_follow_up_keeps_who_when_how_and_what_and_is_in_the_audit_log(flag, charlie, alice):
    entry = follow_up(flag, CALLED, by=charlie, settles=True)
    assert (entry.by, entry.at, entry.reached, entry.outcome) == (charlie, NOW + MINUTE, "phone", "talked")
    assert (entry.note, entry.raised_at, entry.level, entry.rule_version) == (CALLED.note, NOW, "E", flag.rule_version)
    assert (flag.staff_acknowledged_at, flag.staff_acknowledged_by) == (NOW + MINUTE, charlie)
    event = AccessEvent.objects.get(action="E", object_id=str(flag.pk), actor=charlie)
    assert event.patient_ids == [alice.pk]


def test_acknowledgment_is_an_entry_too(flag, charlie):
    assert acknowledge_flag(flag=flag, by=charlie, now=NOW + MINUTE)
    entry = flag.follow_ups.get()
    assert (entry.kind, entry.settles, entry.by, entry.reached) == ("acknowledged", True, charlie, "")


@pytest.mark.parametrize("done", [LEFT_WORD, Done(reached="not-reached")])
def test_patient_who_was_not_reached_keeps_the_flag_open(flag, charlie, done):
    follow_up(flag, done, by=charlie)
    assert list(Flag.objects.open()) == [flag]
    with pytest.raises(IntegrityError, match="follow_up_without_reaching"), transaction.atomic():
        follow_up(flag, done, by=charlie, settles=True)
    assert list(Flag.objects.open()) == [flag]


def test_note_is_not_readable_in_the_database(flag, charlie):
    follow_up(flag, CALLED, by=charlie)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM assessments_flagfollowup t")
        assert CALLED.note not in cursor.fetchone()[0]


def test_finding_is_added_to_a_handled_flag_and_keeps_it_handled(flag, charlie):
    follow_up(flag, CALLED, by=charlie, settles=True)
    found = Done(outcome="doctor-found", finding="ruled-out")
    entry = follow_up(flag, found, by=charlie, settles=True, at=NOW + 48 * HOUR)
    assert (entry.finding, entry.settles) == ("ruled-out", False)
    assert flag.staff_acknowledged_at == NOW + MINUTE


def test_one_follow_up_is_recorded_for_several_flags_or_for_none(flag, response, charlie):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    flags = list(response.flags.all())
    stale = {one.pk: one.version + (one != flag) for one in flags}
    with pytest.raises(FlagChanged):
        record_follow_up(versions=stale, done=CALLED, settles=True, by=charlie, now=NOW)
    assert not FlagFollowUp.objects.exists()
    current = {one.pk: one.version for one in flags}
    record_follow_up(versions=current, done=CALLED, settles=True, by=charlie, now=NOW)
    assert FlagFollowUp.objects.count() == len(flags) == 2 and not Flag.objects.open().exists()


# The form, the domain and the database agree


def test_every_combination_is_refused_by_the_checks_and_by_the_constraints_alike(flag, charlie):
    agreed = 0
    codes = (["", *Reached.values], ["", *Outcome.values], ["", *Finding.values], [False, True])
    for reached, outcome, finding, settles in product(*codes):
        done = Done(reached=reached, outcome=outcome, finding=finding)
        try:
            with transaction.atomic():
                follow_up(flag, done, by=charlie, settles=settles)
                transaction.set_rollback(True)
            is_kept = True
        except IntegrityError:
            is_kept = False
        assert is_kept == (not done.find_faults(settles=settles)), done
        agreed += is_kept
    assert 20 < agreed < 120


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("kind_is_known", {"kind": "guessed"}),
        ("kind_is_known", {"kind": ""}),
        ("reached_is_known", {"reached": "pigeon"}),
        ("outcome_is_known", {"outcome": "sold"}),
        ("finding_is_known", {"outcome": "doctor-found", "finding": "maybe"}),
        ("level_is_known", {"level": "X"}),
        ("says_what_was_done", {"kind": "reopened", "reached": "phone"}),
        ("settles_by_its_kind", {"kind": "acknowledged", "reached": "", "outcome": "", "settles": False}),
        ("settles_by_its_kind", {"kind": "reopened", "reached": "", "outcome": "", "settles": True}),
    ],
)
def test_database_refuses_an_entry_that_cannot_be_true(flag, charlie, name, columns):
    good = {
        "kind": "followed-up",
        "reached": "phone",
        "outcome": "talked",
        "level": "E",
        "rule_version": 1,
        "version": 2,
    }
    with pytest.raises(IntegrityError, match=f"follow_up_{name}"):
        FlagFollowUp.objects.create(flag=flag, by=charlie, at=NOW, raised_at=NOW, **(good | columns))


def test_entries_cannot_be_changed_but_for_their_note(flag, charlie):
    entry = follow_up(flag, CALLED, by=charlie)
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        FlagFollowUp.objects.update(outcome="no-action")
    entry.note = None
    entry.save(update_fields=["note"])
    assert FlagFollowUp.objects.get().note is None


def test_entries_cannot_be_deleted_not_even_with_their_flag(flag, charlie):
    entry = follow_up(flag, CALLED, by=charlie)
    for row in (entry, flag):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            row.delete()
    assert FlagFollowUp.objects.get() == entry


# Reopening and raising again


def test_time_to_seen_survives_reopening_and_raising_again(flag, charlie):
    assert seen_after(flag) is None
    follow_up(flag, LEFT_WORD, by=charlie, at=NOW + 25 * MINUTE)
    follow_up(flag, CALLED, by=charlie, settles=True, at=NOW + 2 * HOUR)
    assert seen_after(flag) == 25
    reopen_flag(flag=flag, version=flag.version, by=charlie, now=NOW + 3 * HOUR)
    assert seen_after(flag) == 25 and Flag.objects.open().get() == flag
    raise_again(flag, NOW + 5 * HOUR)
    assert seen_after(flag) is None
    follow_up(flag, CALLED, by=charlie, settles=True, at=NOW + 6 * HOUR)
    assert seen_after(flag) == 60
    waits = {entry.raised_at for entry in flag.follow_ups.all()}
    assert waits == {NOW, NOW + 5 * HOUR}, "the first wait stays on record"


def test_unseen_flag_goes_on_waiting_when_it_is_raised_again(flag, charlie):
    raise_again(flag, NOW + 5 * HOUR)
    assert (flag.waiting_since, flag.raised_at) == (NOW, NOW + 5 * HOUR)
    follow_up(flag, CALLED, by=charlie, at=NOW + 6 * HOUR)
    assert seen_after(flag) == 360


def test_flag_that_becomes_worse_starts_a_wait_of_its_own(response, charlie):
    fast = {"rf.move": ["foot-slap"], "rf.foot.fast": ["no"]}
    save_page(response=response, page="signs", answers=fast, now=NOW)
    assert response.flags.get().waiting_since == NOW
    save_page(response=response, page="signs", answers=fast | {"rf.foot.fast": ["yes"]}, now=NOW + HOUR)
    flag = response.flags.get()
    assert (flag.level, flag.waiting_since) == ("E", NOW + HOUR)


def test_reopened_flag_is_open_and_only_a_handled_flag_is_reopened(flag, charlie):
    with pytest.raises(NothingToReopen):
        reopen_flag(flag=flag, version=flag.version, by=charlie, now=NOW)
    acknowledge_flag(flag=flag, by=charlie, now=NOW)
    flag.refresh_from_db()
    reopen_flag(flag=flag, version=flag.version, by=charlie, now=NOW + MINUTE)
    flag.refresh_from_db()
    assert (flag.staff_acknowledged_at, flag.staff_acknowledged_by) == (None, None)
    assert [entry.kind for entry in flag.follow_ups.all()] == [FollowUpKind.ACKNOWLEDGED, FollowUpKind.REOPENED]


def test_flag_that_other_flags_replaced_is_not_reopened(response, charlie):
    save_page(response=response, page="safety", answers={"rf.leg": ["unsure"]}, now=NOW)
    acknowledge_flag(flag=response.flags.get(), by=charlie, now=NOW)
    full = {"rf.leg": ["unsure"], "rf.leg.unsure": ["saddle"]}
    save_page(response=response, page="safety", answers=full, now=NOW + MINUTE)
    vague = next(flag for flag in response.flags.all() if flag.is_replaced)
    with pytest.raises(NothingToReopen):
        reopen_flag(flag=vague, version=vague.version, by=charlie, now=NOW + MINUTE)


# Stale pages


def test_page_from_before_the_patient_raised_the_flag_again_settles_nothing(flag, charlie):
    shown = flag.version
    raise_again(flag, NOW + HOUR)
    with pytest.raises(FlagChanged):
        record_follow_up(versions={flag.pk: shown}, done=CALLED, settles=True, by=charlie, now=NOW + HOUR)
    with pytest.raises(FlagChanged):
        acknowledge_flag(flag=flag, version=shown, by=charlie, now=NOW + HOUR)
    assert Flag.objects.open().get() == flag and not flag.follow_ups.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_therapists_who_record_at_once_the_second_is_told(flag, charlie):
    tess = UserFactory(name="Tess Therapist", roles=["therapist"])

    def recording(by, done, settles):
        def run():
            try:
                record_follow_up(versions={flag.pk: flag.version}, done=done, settles=settles, by=by, now=NOW + MINUTE)
            except FlagChanged as refusal:
                return refusal

        return run

    outcomes = race([recording(charlie, CALLED, True), recording(tess, LEFT_WORD, False)])
    assert kinds_of(outcomes) == {"NoneType": 1, "FlagChanged": 1}
    entry = FlagFollowUp.objects.get()
    flag.refresh_from_db()
    assert flag.is_handled == entry.settles and flag.version == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_therapists_who_mark_at_once_one_is_recorded(flag, charlie):
    tess = UserFactory(name="Tess Therapist", roles=["therapist"])
    outcomes = race([lambda by=by: acknowledge_flag(flag=flag, by=by, now=NOW + MINUTE) for by in (charlie, tess)])
    assert sorted(outcomes) == [False, True] and FlagFollowUp.objects.count() == 1


# The patient reads while a page is saved


def waiting_for_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


def is_locked(flag) -> bool:
    with transaction.atomic():
        return not Flag.objects.select_for_update(skip_locked=True).filter(pk=flag.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "read",
    [
        lambda response: acknowledge_shown(response=response, level="E", now=NOW + MINUTE),
        lambda response: mark_shown(response=response, level="E", now=NOW + MINUTE),
        lambda response: request_callback(response=response, now=NOW + MINUTE),
    ],
    ids=["acknowledge", "show", "call back"],
)
def test_patient_who_reads_while_a_page_changes_the_flags_waits_and_never_deadlocks(flag, response, read):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    Flag.objects.update(current_level="E", level="E")
    first, second = response.flags.order_by("pk")

    def save():
        with transaction.atomic():
            Response.objects.select_for_update().get(pk=response.pk)  # as `save_page` does
            for one in (second, first):  # in the order of the rules, not of the keys
                Flag.objects.filter(pk=one.pk).update(rule_version=one.rule_version)
                if one == second:
                    wait_until(waiting_for_rows)

    outcomes = race([save, lambda: (wait_until(lambda: is_locked(second)), read(response))])
    assert not any(isinstance(outcome, DatabaseError) for outcome in outcomes), outcomes
    assert not response.flags.filter(shown_at=None, callback_requested_at=None).exists()


# The emergency advice on the patient's pages


def test_unread_emergency_advice_stays_when_staff_mark_the_flag_as_handled(flag, response, charlie):
    acknowledge_flag(flag=flag, by=charlie, now=NOW + MINUTE)
    assert find_current_advice([response.pk]).level == "E"
    acknowledge_shown(response=response, level="E", now=NOW + HOUR)
    assert find_current_advice([response.pk]) is None


def test_unread_emergency_advice_goes_once_the_patient_was_reached_and_the_flag_settled(flag, response, charlie):
    follow_up(flag, LEFT_WORD, by=charlie)
    assert find_current_advice([response.pk])
    follow_up(flag, Done(outcome="no-action"), by=charlie, settles=True)
    assert find_current_advice([response.pk]), "no one has told the patient"
    follow_up(flag, Done(reached="phone", outcome="emergency-care"), by=charlie)
    assert find_current_advice([response.pk]) is None


def test_reaching_the_patient_earlier_does_not_hide_an_emergency_raised_again(flag, response, charlie):
    follow_up(flag, CALLED, by=charlie, settles=True)
    raise_again(flag, NOW + HOUR)
    acknowledge_flag(flag=flag, by=charlie, now=NOW + 2 * HOUR)
    assert find_current_advice([response.pk]).level == "E"


def test_urgent_advice_goes_when_staff_mark_the_flag_as_handled(response, charlie):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    acknowledge_flag(flag=response.flags.get(), by=charlie, now=NOW + MINUTE)
    assert find_current_advice([response.pk]) is None


def test_visit_page_keeps_the_911_card_after_one_press_by_staff(client, token, flag, response, charlie):
    """The start page redirects to unread advice in any case, so this reads a page that does not."""
    acknowledge_flag(flag=flag, by=charlie, now=NOW + MINUTE)
    assert "tel:911" in client.get(reverse("assessments:confirm", args=[token])).text


# Alerts


def test_message_left_for_the_patient_stops_no_reminder(flag, charlie, post_office):
    send_due(NOW)
    follow_up(flag, LEFT_WORD, by=charlie)
    send_due(NOW + AGAIN_AFTER["E"][0])
    assert len(post_office.mails) == 2
    follow_up(flag, CALLED, by=charlie, settles=True)
    send_due(NOW + AGAIN_AFTER["E"][1])
    assert len(post_office.mails) == 2


def test_flag_raised_after_staff_followed_up_the_first_sends_a_new_alert(flag, response, charlie):
    follow_up(flag, LEFT_WORD, by=charlie)
    more = {**EMERGENCY, "rf.body": ["chest"]}
    save_page(response=response, page="safety", answers=more, now=NOW + 2 * MINUTE)
    assert StaffAlert.objects.count() == 2


def test_reopened_flag_gets_the_reminders_that_are_still_due(flag, charlie, post_office):
    send_due(NOW)
    acknowledge_flag(flag=flag, by=charlie, now=NOW + MINUTE)
    send_due(NOW + AGAIN_AFTER["E"][0])
    assert len(post_office.mails) == 1
    flag.refresh_from_db()
    reopen_flag(flag=flag, version=flag.version, by=charlie, now=NOW + HOUR)
    send_due(NOW + AGAIN_AFTER["E"][1])
    assert len(post_office.mails) == 2
    assert Message.objects.filter(kind=STAFF_FLAG).count() == 1 + len(AGAIN_AFTER["E"])
