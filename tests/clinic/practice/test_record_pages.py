"""The admin's pages of a patient's record: timeline, panels, export, erasure and merge."""

import json
import re

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments.models import Flag
from clinic.audit.models import AccessEvent
from clinic.practice.models import Patient
from clinic.practice.people.records import MOST_LINES
from tests.factories import MessageFactory, PatientFactory, UserFactory
from tests.patient_record import AFTER, make_record, make_response
from tests.world import DAY, HOUR, NINE_ON_TUESDAY, NOW, book


@pytest.fixture(autouse=True)
def later(db):
    with time_machine.travel(AFTER, tick=False):
        yield


@pytest.fixture
def nina(db):
    return PatientFactory(name="Ninazq7 Walker", email="ninazq7@example.com", phone="+16035557731")


@pytest.fixture
def record(nina, evaluation, charlie):
    return make_record(nina, service=evaluation, staff=charlie)


@pytest.fixture
def sign_in(client):
    """Return a function that signs in a member of staff with these permissions."""

    def sign(*codenames):
        user = UserFactory()
        found = Permission.objects.filter(codename__in=codenames)
        assert found.count() == len(codenames)
        user.user_permissions.set(found)
        client.force_login(user)
        return user

    return sign


@pytest.fixture
def boss(client, charlie):
    client.force_login(charlie)
    return charlie


def address(name, *patients) -> str:
    return reverse(f"admin:practice_patient_{name}", args=[one.pk for one in patients])


def timeline_of(page) -> list[str]:
    section = page.content.decode().partition('<section class="timeline"')[2].partition("</section>")[0]
    return [re.sub(r"<[^>]+>", "", line).strip() for line in re.findall(r"<li>(.*?)</li>", section)]


# Timeline and panels


def test_patients_page_has_the_timeline_with_links(client, boss, nina, record):
    page = client.get(address("change", nina))
    assert any("Visit, " in line for line in timeline_of(page))
    assert reverse("admin:booking_appointment_change", args=[record.pk]) in page.content.decode()


def test_timeline_shows_all_when_asked(client, boss, nina):
    for number in range(MOST_LINES + 5):
        MessageFactory(patient=nina, due_at=NOW + number * HOUR)
    assert len(timeline_of(client.get(address("change", nina)))) == MOST_LINES
    assert len(timeline_of(client.get(address("change", nina), {"timeline": "all"}))) == MOST_LINES + 6


def test_panels_and_lines_are_absent_without_their_permission(client, sign_in, nina, record):
    sign_in("view_patient")
    page = client.get(address("change", nina))
    assert [line for line in timeline_of(page) if "Added as a patient" not in line] == []
    text = page.content.decode()
    assert "field-open_links" in text
    for absent in ("field-text_consents", "field-same_person", "/export/", "/erase/", record.reference):
        assert absent not in text


def test_patients_page_costs_the_same_queries_with_one_and_with_thirty_rows(client, boss, nina, record, charlie):
    client.get(address("change", nina))
    with CaptureQueriesContext(connection) as few:
        client.get(address("change", nina))
    for number in range(30):
        MessageFactory(patient=nina, due_at=NOW + number * HOUR)
        if number < 9:
            book(
                record.service,
                starts_at=NINE_ON_TUESDAY + (number // 3 + 1) * DAY + (0, 2, 4)[number % 3] * HOUR,
                name=nina.name,
                email=nina.email,
                phone=nina.phone,
            )
        make_response(nina, charlie)
    with CaptureQueriesContext(connection) as many:
        client.get(address("change", nina))
    assert len(many) == len(few)


# Export


def test_export_downloads_one_file_that_is_not_stored(client, boss, nina, record):
    response = client.post(address("export", nina))
    assert response["Content-Type"].startswith("application/json")
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"] == 'attachment; filename="patient-record.json"'
    assert json.loads(response.content)["record"]["contact details"][0]["name"] == nina.name


def test_export_is_not_made_by_opening_its_address(client, boss, nina):
    assert client.get(address("export", nina)).status_code == 405
    assert not AccessEvent.objects.filter(action="E").exists()


@pytest.mark.parametrize("verb", ["export", "erase", "merge"])
def test_page_needs_its_own_permission_and_that_to_see_patients(client, sign_in, nina, alice, verb):
    patients = (nina, alice) if verb == "merge" else (nina,)
    for rights in (("view_patient", "change_patient"), (f"{verb}_patient",)):
        sign_in(*rights)
        assert client.post(address(verb, *patients), {"keep": alice.pk}).status_code == 403
        assert client.get(address(verb, *patients)).status_code in (403, 405)
    assert Patient.objects.current().count() == 2


@pytest.mark.parametrize("verb", ["export", "erase"])
def test_page_of_an_unknown_or_erased_patient_is_not_found(client, boss, nina, verb):
    client.post(address("erase", nina))
    assert client.post(address(verb, nina)).status_code == 404


# Erase


def test_opening_the_erase_page_changes_nothing_and_lists_what_goes_and_stays(client, boss, nina, record):
    page = client.get(address("erase", nina))
    nina.refresh_from_db()
    assert nina.erased_at is None
    assert page.context["goes"] and page.context["stays"] and not page.context["refusal"]
    assert 'value="Erase this record"' in page.content.decode()


def test_erasing_leaves_no_name_on_the_next_page_or_in_the_list(client, boss, nina, record):
    client.post(reverse("admin:practice_patient_changelist"), {"q": "Ninazq7"})
    page = client.post(address("erase", nina), follow=True)
    nina.refresh_from_db()
    assert nina.erased_at is not None
    assert "inazq7" not in page.content.decode() and "searches" not in client.session
    assert "Erased patient" not in client.get(reverse("admin:practice_patient_changelist")).content.decode()


def test_visit_of_an_erased_patient_still_opens(client, boss, nina, record):
    client.post(address("erase", nina))
    page = client.get(reverse("admin:booking_appointment_change", args=[record.pk]))
    assert page.status_code == 200
    assert address("change", nina) not in page.content.decode()


def test_refused_erasure_says_why_and_has_no_button(client, boss, nina, record):
    Flag.objects.update(staff_acknowledged_at=None, staff_acknowledged_by=None)
    for page in (client.get(address("erase", nina)), client.post(address("erase", nina))):
        assert page.context["refusal"] and 'value="Erase this record"' not in page.content.decode()
    assert page.status_code == 409


# Merge


def test_possible_duplicate_leads_to_the_page_that_merges_it(client, boss, nina):
    twin = PatientFactory(name=nina.name, email="other@example.com")
    assert address("merge", nina, twin) in client.get(address("change", nina)).content.decode()


def test_merge_page_shows_both_and_changes_nothing(client, boss, nina, record):
    twin = PatientFactory(name="Nina Zq8", email="other@example.com", phone="")
    page = client.get(address("merge", nina, twin))
    rows = dict(page.context["rows"])
    assert rows["Email"] == [nina.email, twin.email]
    assert rows["Visits"] == ["1", "0"]
    assert Patient.objects.current().count() == 2


@pytest.mark.parametrize("is_first_kept", [True, False])
def test_chosen_record_is_kept(client, boss, nina, record, is_first_kept):
    twin = PatientFactory(name="Nina Zq8", email="other@example.com")
    kept, merged = (nina, twin) if is_first_kept else (twin, nina)
    response = client.post(address("merge", nina, twin), {"keep": kept.pk})
    assert response["Location"] == address("change", kept)
    merged.refresh_from_db()
    assert merged.merged_into == kept
    record.refresh_from_db()
    assert record.patient == kept


def test_merge_without_a_choice_or_of_one_record_is_refused(client, boss, nina, alice):
    for page in (
        client.post(address("merge", nina, alice)),
        client.post(address("merge", nina, alice), {"keep": "x"}),
        client.post(address("merge", nina, nina), {"keep": nina.pk}),
    ):
        assert page.status_code == 409 and page.context["refusal"]
    assert Patient.objects.current().count() == 2


def test_unconfirmed_record_cannot_be_kept_beside_a_confirmed_one(client, boss, nina):
    typed = PatientFactory(name="Nina", email="typed@example.com", is_provisional=True)
    page = client.get(address("merge", nina, typed))
    assert page.context["keepable"] == [nina]
    assert client.post(address("merge", nina, typed), {"keep": typed.pk}).status_code == 409
