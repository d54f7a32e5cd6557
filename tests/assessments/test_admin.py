import json

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments.intake.responses import complete_response, save_page, start_published_response
from assessments.red_flags.flags import acknowledge_flag
from booking.models import Appointment
from clinic.audit.models import AccessEvent
from clinic.practice.models import User
from clinic.practice.people.patients import find_or_register_patient
from tests.assessments.answering import QUIET
from tests.assessments.flags import flag_of
from tests.world import NOW, book

pytestmark = pytest.mark.django_db
WORRYING = {
    **QUIET,
    "rf.move": ["walk-groin"],
    "run.longest30": ["8"],
    "run.last_long": ["13.1"],
    "run.change": ["hills"],
    "hist": ["back"],
    "mech": ["lock"],
    "psy.worry": [9],
    "on.event": ["<script>alert(1)</script>"],
}


def answer(response, intake, answers):
    for page in intake.pages:
        here = {name: values for name, values in answers.items() if intake.page_of[name] is page}
        save_page(response=response, page=page.link_id, answers=here, now=NOW)
    return complete_response(response=response, now=NOW)


@pytest.fixture
def worrying(response, intake):
    """Alice's completed answers, with two flags and most of the signals."""
    return answer(response, intake, WORRYING)


@pytest.fixture
def staff(client, charlie):
    client.force_login(charlie)
    return client


def summary_url(response):
    return reverse("admin:assessments_response_change", args=[response.pk])


def acknowledge_url(flag):
    return reverse("admin:assessments_flag_acknowledge", args=[flag.response_id, flag.pk])


def test_summary_shows_flags_first_and_every_source(staff, worrying):
    page = staff.get(summary_url(worrying))
    text = page.text
    places = [
        text.index(word) for word in ("BSI-watch", "RF16", "L-1", "C-1", "J-1", "Y-1", "My activities", "Every answer")
    ]
    assert places == sorted(places)
    assert "femoral-neck bone stress injury" in text
    assert "PMC6226070" in text
    assert "1.64, moderate" in text
    assert "version 1, awaiting sign-off" in text
    assert "not validated" in text
    assert "run to the lighthouse" in text
    assert "no-store" in page.headers["Cache-Control"]
    assert "<script>alert(1)" not in text


def test_summary_shows_under_18_and_the_guardians_consent_when_the_runner_is_a_minor(staff, response, intake):
    young = {"about.age": ["under-18"]}
    guardian = {"guard.name": ["Petra Parent"], "guard.relation": ["parent"], "guard.consent": [True]}
    save_page(response=response, page=intake.page_of["about.age"].link_id, answers=young, now=NOW)
    page = staff.get(summary_url(response))
    assert "under 18" in page.text and not page.context["summary"].has_guardian_agreed
    save_page(response=response, page=intake.page_of["guard.name"].link_id, answers=guardian, now=NOW)
    page = staff.get(summary_url(response))
    assert "under 18" in page.text and "Petra Parent" in page.text
    assert page.context["summary"].has_guardian_agreed


def test_summary_does_not_mention_guardians_when_the_runner_is_an_adult(staff, worrying):
    page = staff.get(summary_url(worrying))
    assert "under 18" not in page.text and not page.context["summary"].is_guarded


def test_summary_links_to_the_phone_the_patient_and_the_visit(client, worrying, alice, evaluation, front_desk):
    front_desk.user_permissions.set(Permission.objects.filter(codename="view_response"))
    client.force_login(front_desk)
    assert f'href="tel:{alice.phone}"' in client.get(summary_url(worrying)).text
    visit = book(evaluation, name="Bob Other")
    named = {"guardian_name": "Petra Parent", "other_phone": "+16035550123"}
    Appointment.objects.filter(pk=visit.pk).update(intake=worrying, **named)
    page = client.get(summary_url(worrying)).text
    assert 'href="tel:+16035550123"' in page and f'href="tel:{alice.phone}"' in page and "Petra Parent" in page
    links = {
        "view_patient": reverse("admin:practice_patient_change", args=[alice.pk]),
        "view_appointment": reverse("admin:booking_appointment_change", args=[visit.pk]),
    }
    assert not any(link in page for link in links.values())
    front_desk.user_permissions.add(*Permission.objects.filter(codename__in=links))
    page = client.get(summary_url(worrying)).text
    assert all(link in page for link in links.values())


def test_flags_can_be_filtered_by_whether_they_are_handled(staff, worrying, charlie):
    listing = reverse("admin:assessments_flag_changelist")
    open_flags = worrying.flags.count()
    acknowledge_flag(flag=worrying.flags.first(), by=charlie, now=NOW)
    counts = {answer: staff.get(listing, {"handled": answer}).context["cl"].result_count for answer in ("yes", "no")}
    assert counts == {"yes": 1, "no": open_flags - 1}


def test_summary_has_no_score_section_when_the_questionnaire_has_no_scores(staff, loaded, alice):
    call = start_published_response(questionnaire_slug="call-intake", patient=alice, now=NOW)
    assert "Scores appear" not in staff.get(summary_url(call)).text


def test_reading_a_summary_is_recorded(staff, worrying, charlie, alice):
    staff.get(summary_url(worrying))
    event = AccessEvent.objects.get(action="R", object_id=str(worrying.pk))
    assert (event.actor, event.patient_ids) == (charlie, [alice.pk])


def test_summary_of_an_empty_intake_opens(staff, response):
    page = staff.get(summary_url(response))
    assert "nothing answered yet" in page.text
    assert page.context["summary"].trends == []


def test_changed_answer_is_still_shown(staff, worrying, intake):
    save_page(response=worrying, page="signs", answers={"rf.move": ["none"]}, now=NOW)
    text = staff.get(summary_url(worrying)).text
    assert "RF16" in text
    assert "the answer was changed" in text


def test_flag_can_be_acknowledged(staff, worrying, charlie):
    flag = flag_of("RF16", worrying.flags)
    assert staff.get(acknowledge_url(flag)).status_code == 405
    shown = {"version": flag.version}
    assert staff.post(acknowledge_url(flag), shown).status_code == 303
    flag.refresh_from_db()
    assert flag.staff_acknowledged_by == charlie
    first = flag.staff_acknowledged_at
    assert "already" in staff.post(acknowledge_url(flag), shown, follow=True).text
    flag.refresh_from_db()
    assert flag.staff_acknowledged_at == first
    assert "handled by Charlie Therapist" in staff.get(summary_url(worrying)).text


@pytest.mark.parametrize("version", ["", "0", "2", "one", "9" * 40])
def test_flag_is_not_acknowledged_from_a_page_of_another_version(staff, worrying, version):
    flag = worrying.flags.first()
    assert staff.post(acknowledge_url(flag), {"version": version}).status_code == 303
    flag.refresh_from_db()
    assert flag.staff_acknowledged_at is None


def test_flag_of_another_response_is_not_found(staff, worrying, bob, loaded):
    other = start_published_response(questionnaire_slug="hip-running-intake", patient=bob, now=NOW)
    flag = worrying.flags.first()
    staff.post(reverse("admin:assessments_flag_acknowledge", args=[other.pk, flag.pk]))
    flag.refresh_from_db()
    assert flag.staff_acknowledged_at is None


def test_export_is_a_download_and_is_recorded(staff, worrying):
    download = staff.get(reverse("admin:assessments_response_export", args=[worrying.pk]))
    assert json.loads(download.content)["resourceType"] == "QuestionnaireResponse"
    assert "attachment" in download.headers["Content-Disposition"]
    assert "no-store" in download.headers["Cache-Control"]
    assert AccessEvent.objects.filter(action="R", object_id=str(worrying.pk)).count() == 1


def test_other_users_may_not_read_or_act(client, worrying):
    flag = worrying.flags.first()
    pages = [
        reverse("admin:assessments_response_changelist"),
        summary_url(worrying),
        reverse("admin:assessments_response_export", args=[worrying.pk]),
        reverse("admin:assessments_flag_changelist"),
        reverse("admin:assessments_questionnaire_changelist"),
        reverse("admin:assessments_questionnaire_change", args=[worrying.questionnaire_id]),
    ]
    for page in pages:
        assert client.get(page).status_code == 302
    assert client.post(acknowledge_url(flag)).status_code == 302
    frances = User.objects.create_user("frances@example.com", name="Frances Desk", roles=["front-desk"])
    client.force_login(frances)
    for page in pages:
        assert client.get(page).status_code == 403
    assert client.post(acknowledge_url(flag)).status_code == 403
    frances.user_permissions.add(
        Permission.objects.get(codename="view_response", content_type__app_label="assessments")
    )
    client.force_login(User.objects.get(pk=frances.pk))
    assert acknowledge_url(flag) not in client.get(summary_url(worrying)).text
    assert client.post(acknowledge_url(flag)).status_code == 403
    flag.refresh_from_db()
    assert flag.staff_acknowledged_at is None


def test_answers_cannot_be_added_in_the_admin(staff, worrying):
    for model in ("response", "flag", "questionnaire"):
        assert staff.get(reverse(f"admin:assessments_{model}_add")).status_code == 403
    assert (
        staff.post(reverse("admin:assessments_response_delete", args=[worrying.pk]), {"post": "yes"}).status_code == 403
    )


def test_unknown_ids_redirect_to_the_list(staff, loaded):
    for name in ("nonsense", "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"):
        assert staff.get(reverse("admin:assessments_response_change", args=[name])).status_code == 302
        assert staff.get(reverse("admin:assessments_questionnaire_change", args=[name])).status_code == 302


def test_questionnaire_is_shown_as_asked(staff, response):
    text = staff.get(reverse("admin:assessments_questionnaire_change", args=[response.questionnaire_id])).text
    assert "Why we ask" in text
    assert "about <strong>5 minutes" in text.lower()
    assert "no reason given" not in text


@pytest.mark.parametrize("model", ["response", "flag", "questionnaire"])
@pytest.mark.long
def test_lists_cost_the_same_queries_for_one_row_and_for_thirty(
    staff, worrying, intake, model, django_assert_num_queries
):
    address = reverse(f"admin:assessments_{model}_changelist")
    staff.get(address)
    with CaptureQueriesContext(connection) as one:
        staff.get(address)
    for number in range(30):
        runner = find_or_register_patient(name=f"Runner {number}", email=f"r{number}@example.com", phone="", now=NOW)
        answer(
            start_published_response(questionnaire_slug="hip-running-intake", patient=runner, now=NOW), intake, WORRYING
        )
    with django_assert_num_queries(len(one)):
        assert staff.get(address).status_code == 200


@pytest.mark.long
def test_list_of_three_hundred_intakes_costs_the_same_queries_as_of_one(staff, worrying, django_assert_num_queries):
    address = reverse("admin:assessments_response_changelist")
    staff.get(address)
    with CaptureQueriesContext(connection) as one:
        staff.get(address)
    for number in range(299):
        runner = find_or_register_patient(name=f"Runner {number}", email=f"r{number}@example.com", phone="", now=NOW)
        start_published_response(questionnaire_slug="hip-running-intake", patient=runner, now=NOW)
    with django_assert_num_queries(len(one)):
        page = staff.get(address)
    assert "300 intakes" in page.text


def test_summary_costs_the_same_queries_for_many_flags(staff, worrying, intake, bob, django_assert_num_queries):
    staff.get(summary_url(worrying))
    with CaptureQueriesContext(connection) as few:
        staff.get(summary_url(worrying))
    many = start_published_response(questionnaire_slug="hip-running-intake", patient=bob, now=NOW)
    answer(many, intake, {**WORRYING, "rf.leg": ["saddle", "bladder", "crack"], "rf.signs": ["lump", "cancer"]})
    with django_assert_num_queries(len(few)):
        staff.get(summary_url(many))
