"""The pages on which therapists follow up flags and see how the rules did."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments.intake.responses import save_page, start_published_response
from assessments.models import Flag, FlagFollowUp
from assessments.red_flags.flags import acknowledge_flag
from assessments.red_flags.rule_records import read_rule_records
from clinic.audit.models import AccessEvent
from clinic.practice.models import Role
from clinic.practice.people.patients import find_or_register_patient
from tests.assessments.flags import flag_of
from tests.assessments.red_flags.alerts import EMERGENCY, URGENT
from tests.factories import UserFactory
from tests.world import NOW

pytestmark = pytest.mark.django_db
CALLED = {"reached": "phone", "outcome": "talked", "note": "Will rest"}
LEFT_WORD = {"reached": "not-reached", "outcome": "left-message"}
LISTING, RULES, TODAY = "admin:assessments_flag_changelist", "admin:assessments_flag_rules", "admin:index"


@pytest.fixture(autouse=True)
def _at_now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def flag(response, charlie):
    save_page(response=response, page="safety", answers=EMERGENCY, now=NOW - timedelta(minutes=25))
    return response.flags.get()


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(name="Tess Therapist", roles=[Role.THERAPIST]))
    return client


def page_of(flag):
    return reverse("admin:assessments_flag_follow_up", args=[flag.pk])


def send(client, flag, data, *, settles=""):
    flag.refresh_from_db()
    sent = client.post(page_of(flag), {"version": flag.version, "settles": settles, **data})
    flag.refresh_from_db()
    return sent


def reopen(client, flag):
    return client.post(reverse("admin:assessments_flag_reopen", args=[flag.pk]), {"version": flag.version})


def test_flag_is_followed_up_settled_and_reopened_on_its_page(staff, flag):
    assert send(staff, flag, LEFT_WORD).status_code == 303
    assert not flag.is_handled
    assert send(staff, flag, CALLED, settles="1").status_code == 303
    assert flag.is_handled and flag.staff_acknowledged_by.name == "Tess Therapist"
    shown = staff.get(page_of(flag))
    assert "Will rest" in shown.text
    [(raised_at, waited, entries)] = shown.context["waits"]
    assert (raised_at, waited) == (flag.raised_at, 25)
    assert [entry.outcome for entry in entries] == ["left-message", "talked"]
    assert reopen(staff, flag).status_code == 303
    flag.refresh_from_db()
    assert not flag.is_handled and flag.follow_ups.last().kind == "reopened"


def test_get_changes_nothing_and_is_recorded(staff, flag, alice):
    before = flag.version
    assert staff.get(page_of(flag)).status_code == 200
    flag.refresh_from_db()
    assert flag.version == before and not FlagFollowUp.objects.exists()
    event = AccessEvent.objects.get(action="R", object_id=str(flag.pk))
    assert event.patient_ids == [alice.pk] and event.actor.name == "Tess Therapist"


@pytest.mark.parametrize(
    ("data", "settles", "field"),
    [
        ({}, "", "outcome"),
        (LEFT_WORD, "1", "reached"),
        ({"reached": "phone", "outcome": "left-message"}, "", "outcome"),
        ({"outcome": "talked"}, "", "reached"),
        ({"outcome": "doctor-found"}, "", "finding"),
        ({"reached": "phone", "outcome": "talked", "finding": "confirmed"}, "", "finding"),
        ({"reached": "pigeon", "outcome": "talked"}, "", "reached"),
        ({**CALLED, "note": "x" * 2001}, "1", "note"),
    ],
)
def test_what_cannot_be_true_is_refused_beside_its_field(staff, flag, data, settles, field):
    answer = send(staff, flag, data, settles=settles)
    assert answer.status_code == 200 and list(answer.context["form"].errors) == [field]
    assert not FlagFollowUp.objects.exists()


def test_page_from_before_a_change_keeps_what_was_typed_and_asks_again(staff, flag):
    sent = {"version": flag.version - 1, "settles": "1", **CALLED}
    refused = staff.post(page_of(flag), sent)
    assert refused.status_code == 409 and not FlagFollowUp.objects.exists()
    assert "Will rest" in refused.text
    assert refused.context["form"]["version"].value() == str(flag.version)


def test_one_call_about_several_flags_is_recorded_once_for_each(staff, flag, response):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    other = flag_of("RF16")
    answer = send(staff, flag, {**CALLED, "also": [f"{other.pk}:{other.version}"]}, settles="1")
    assert answer.status_code == 303
    assert not Flag.objects.open().exists() and FlagFollowUp.objects.count() == 2


@pytest.mark.parametrize("version", [0, 2])
def test_other_flag_that_has_changed_is_not_followed_up(staff, flag, response, version):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    answer = send(staff, flag, {**CALLED, "also": [f"{flag_of('RF16').pk}:{version}"]}, settles="1")
    assert list(answer.context["form"].errors) == ["also"] and not FlagFollowUp.objects.exists()


def test_finding_is_recorded_for_one_flag_at_a_time(staff, flag, response):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    found = {"outcome": "doctor-found", "finding": "confirmed", "also": [f"{flag_of('RF16').pk}:1"]}
    assert list(send(staff, flag, found).context["form"].errors) == ["also"]


def test_unknown_flag_leads_to_the_list(staff, flag):
    for name in ("follow_up", "reopen"):
        address = reverse(f"admin:assessments_flag_{name}", args=["0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"])
        assert staff.post(address).status_code == 302


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.THERAPIST}))
def test_other_roles_may_not_read_or_follow_up_a_flag(client, flag, role):
    client.force_login(UserFactory(roles=[role]))
    assert client.get(page_of(flag)).status_code == 403
    assert client.get(reverse(RULES)).status_code == 403
    assert send(client, flag, CALLED, settles="1").status_code == 403
    acknowledge_flag(flag=flag, by=UserFactory(), now=NOW)
    flag.refresh_from_db()
    assert reopen(client, flag).status_code == 403
    assert FlagFollowUp.objects.count() == 1


def test_staff_who_may_only_view_flags_see_no_form_and_no_answer(client, flag):
    viewer = UserFactory()
    viewer.user_permissions.add(Permission.objects.get(codename="view_flag"))
    client.force_login(viewer)
    shown = client.get(page_of(flag))
    assert (
        "<textarea" not in shown.text
        and reverse("admin:assessments_response_change", args=[flag.response_id]) not in shown.text
    )
    assert not any(text in shown.text for _, text in shown.context["line"].inputs)
    assert send(client, flag, CALLED).status_code == 403


def test_flag_is_linked_from_today_the_summary_and_the_list(staff, flag):
    summary = reverse("admin:assessments_response_change", args=[flag.response_id])
    for address in (reverse(TODAY), summary, reverse(LISTING)):
        assert page_of(flag) in staff.get(address).text, address
    send(staff, flag, LEFT_WORD)
    row = staff.get(reverse(TODAY)).text
    assert flag.follow_ups.get().what in row


def test_flags_can_be_filtered_by_what_was_done(staff, flag, response):
    save_page(response=response, page="signs", answers=URGENT, now=NOW)
    send(staff, flag, LEFT_WORD)
    send(staff, flag, {"outcome": "doctor-found", "finding": "confirmed"})
    counts = {
        code: staff.get(reverse(LISTING), {"outcome": code}).context["cl"].result_count
        for code in ("not-reached", "left-message", "confirmed", "ruled-out", "talked", "nonsense")
    }
    assert counts == {
        "not-reached": 1,
        "left-message": 1,
        "confirmed": 1,
        "ruled-out": 0,
        "talked": 0,
        "nonsense": 2,
    }


def test_list_shows_the_time_from_raised_to_seen(staff, flag):
    assert "25 minutes" not in staff.get(reverse(LISTING)).text
    send(staff, flag, LEFT_WORD)
    assert "25 minutes" in staff.get(reverse(LISTING)).text


# How the rules did


def test_rules_page_is_honest_when_no_rule_has_raised_a_flag(staff, loaded):
    shown = staff.get(reverse(RULES))
    assert shown.context["rows"] == [] and "<table" not in shown.text and "RF01" in shown.text


def test_rules_page_counts_each_wait_and_names_no_patient(staff, flag, alice):
    send(staff, flag, LEFT_WORD)
    send(staff, flag, {"outcome": "doctor-found", "finding": "ruled-out", "reached": "phone"}, settles="1")
    save_page(response=flag.response, page="safety", answers={"rf.leg": ["none"]}, now=NOW)
    save_page(response=flag.response, page="safety", answers=EMERGENCY, now=NOW)
    shown = staff.get(reverse(RULES))
    [(record, rule)] = shown.context["rows"]
    assert rule.id == record.rule_id == "RF01"
    assert (record.raised, record.seen, record.median_minutes) == (2, 1, 25)
    assert (record.in_time, record.due) == (1, 1), "the second wait is not over, and not late"
    assert record.outcomes == {"left-message": 1, "doctor-found": 1} and record.findings == {"ruled-out": 1}
    assert record.has_few and alice.name not in shown.text


def test_newest_finding_of_a_wait_counts(staff, flag):
    for finding in ("unknown", "confirmed"):
        send(staff, flag, {"outcome": "doctor-found", "finding": finding})
    assert read_rule_records(now=NOW)[0].findings == {"confirmed": 1}


def fill(count, charlie):
    """Raise `count` more flags of other patients, each followed up."""
    for number in range(count):
        runner = find_or_register_patient(name=f"Runner {number}", email=f"r{number}@example.com", phone="", now=NOW)
        other = start_published_response(questionnaire_slug="hip-running-intake", patient=runner, now=NOW)
        Flag.objects.create(
            response=other, rule_id="RF01", rule_version=1, level="E", current_level="E", action="now", raised_at=NOW
        )
    entries = [
        FlagFollowUp(
            flag=flag,
            kind="followed-up",
            at=NOW,
            by=charlie,
            reached="not-reached",
            raised_at=NOW,
            level="E",
            rule_version=1,
            version=2,
        )
        for flag in Flag.objects.filter(follow_ups=None)
    ]
    FlagFollowUp.objects.bulk_create(entries)


@pytest.mark.parametrize("address", [LISTING, RULES, TODAY])
def test_pages_cost_the_same_queries_for_one_flag_and_for_thirty(
    staff, flag, charlie, address, django_assert_num_queries
):
    send(staff, flag, LEFT_WORD)
    staff.get(reverse(address))
    with CaptureQueriesContext(connection) as one:
        staff.get(reverse(address))
    fill(29, charlie)
    with django_assert_num_queries(len(one)):
        assert staff.get(reverse(address)).status_code == 200


def test_follow_up_page_costs_the_same_queries_for_many_follow_ups(staff, flag, django_assert_num_queries):
    send(staff, flag, LEFT_WORD)
    staff.get(page_of(flag))
    with CaptureQueriesContext(connection) as one:
        staff.get(page_of(flag))
    expected = len(one)
    for _ in range(9):
        send(staff, flag, LEFT_WORD)
    staff.get(page_of(flag))  # shows the messages of these
    with django_assert_num_queries(expected):
        staff.get(page_of(flag))


def test_emergency_is_settled_by_reaching_the_patient_or_with_a_reason(staff, flag):
    for sent in ({"outcome": "no-action"}, {"outcome": "referred", "note": "  "}):
        page = send(staff, flag, sent, settles="1")
        assert "note" in page.context["form"].errors
        flag.refresh_from_db()
        assert not flag.is_handled
    send(staff, flag, {"outcome": "no-action", "note": "Checked by mistake, she says at the desk."}, settles="1")
    flag.refresh_from_db()
    assert flag.is_handled


def test_emergency_is_not_marked_as_handled_by_one_press(staff, flag):
    summary = staff.get(reverse("admin:assessments_response_change", args=[flag.response_id])).text
    assert reverse("admin:assessments_flag_follow_up", args=[flag.pk]) in summary
    acknowledge = reverse("admin:assessments_flag_acknowledge", args=[flag.response_id, flag.pk])
    assert acknowledge not in summary
    assert staff.post(acknowledge, {"version": flag.version})["Location"] == page_of(flag), "from a page shown before"
    flag.refresh_from_db()
    assert not flag.is_handled
