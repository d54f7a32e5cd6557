"""What each permission shows on Today and other pages."""

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments.models import Questionnaire, RuleSignOff
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Suppression
from clinic.practice.models import Patient, User
from education.models import Topic
from tests.clinic.admin_house import CANARIES, furnish
from tests.factories import TherapistFactory, UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows():
    with time_machine.travel(NOON, tick=False):
        yield furnish()


@pytest.fixture
def sign_in(client):
    """Return a function that signs in a new user with the given permissions and returns the user."""

    def sign(*codenames, **fields):
        user = UserFactory(**{"name": "Frank Desk", **fields})
        user.user_permissions.set(permissions(*codenames))
        client.force_login(user)
        return user

    return sign


def permissions(*codenames):
    found = Permission.objects.filter(codename__in=codenames)
    assert found.count() == len(codenames)
    return found


# Today


@pytest.mark.parametrize(
    ("rights", "shown", "tables"),
    [
        # Messages are read only to see whether the patient was notified of a change.
        (("view_appointment",), {"Vera Visitcanary"}, {"booking_appointment", "outbox_message"}),
        (("view_flag",), set(), set()),
        (("view_response",), set(), set()),
        (("view_flag", "view_response"), {"Fiona Flagcanary"}, {"assessments_flag"}),
        (("view_message",), {"Mona Messagecanary"}, {"outbox_message"}),
        # Messages are read only to see whether waiting patients were notified.
        (
            ("view_waitlistentry",),
            {"Wanda Waitcanary"},
            {"booking_waitlistentry", "booking_slotoffer", "outbox_message"},
        ),
        (("change_article",), set(), set()),
    ],
)
def test_today_reads_and_shows_a_section_only_with_its_permission(client, rows, sign_in, rights, shown, tables):
    sign_in(*rights)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse("admin:index")).text

    assert {name for name in CANARIES if name in page} == shown
    asked = {
        table
        for table in ("booking_appointment", "assessments_flag", "outbox_message", "booking_waitlistentry")
        for query in queries
        if f'FROM "{table}"' in query["sql"]
    }
    assert asked == tables - {"booking_slotoffer"}


def test_user_without_roles_cannot_open_the_admin(client, rows, sign_in):
    sign_in()
    assert client.get(reverse("admin:index"))["Location"].startswith(reverse("admin:login"))


def test_today_links_only_to_permitted_actions(client, rows, sign_in):
    sign_in("view_appointment")
    page = client.get(reverse("admin:index")).text
    for name in ("booking_appointment_add", "booking_hoursoverride_add"):
        assert reverse(f"admin:{name}") not in page
    assert "/act/" not in page
    sign_in("view_appointment", "add_appointment", "change_appointment", "add_hoursoverride")
    page = client.get(reverse("admin:index")).text
    for address in (reverse("admin:booking_appointment_add"), reverse("admin:booking_hoursoverride_add"), "/act/"):
        assert address in page


def test_list_of_an_app_does_not_show_an_empty_today(client, rows, sign_in):
    sign_in("view_appointment")
    page = client.get("/admin/booking/").text
    assert reverse("admin:booking_appointment_changelist") in page
    assert "No visits today" not in page


# What a page shows of other models


def test_affected_visits_are_counted_and_not_named_without_the_permission_to_view_visits(client, rows, sign_in):
    morning = {"kind": "closure", "starts_at": "2026-12-01T08:00", "ends_at": "2026-12-01T20:00"}
    block, holidays = reverse("admin:booking_hoursoverride_add"), reverse("admin:booking_hoursoverride_holidays")
    sign_in("add_hoursoverride")
    assert "in this time: 1 visit." in client.post(block, morning).text
    for page in (client.post(block, morning), client.get(holidays), client.post(holidays, {"on": "2026-12-25"})):
        assert "canary" not in page.text
    assert "canary" not in client.get(holidays).text  # nor in the message after the redirect
    sign_in("add_hoursoverride", "view_appointment")
    assert "Vera Visitcanary" in client.post(block, morning).text
    assert "Vera Visitcanary" in client.get(holidays).text


def test_flag_page_redirects_to_the_summary_where_access_is_recorded(client, rows, sign_in):
    page = reverse("admin:assessments_flag_change", args=[rows["assessments.flag"]])
    summary = reverse("admin:assessments_response_change", args=[rows["assessments.response"]])
    sign_in("view_flag")
    assert client.get(page)["Location"] == summary
    assert client.get(summary).status_code == 403
    sign_in("view_flag", "view_response")
    assert client.get(page, follow=True).status_code == 200
    assert AccessEvent.objects.filter(object_type="assessments.response", action="R").count() == 1


@pytest.mark.parametrize("model", ["practice.patient", "booking.appointment", "outbox.message"])
def test_access_is_recorded_only_when_it_was_allowed(client, rows, sign_in, model):
    page = reverse(f"admin:{model.replace('.', '_')}_change", args=[rows[model]])
    frank = sign_in("view_topic")
    assert client.get(page).status_code == 403
    assert not AccessEvent.objects.filter(actor=frank).exists()
    tess = sign_in(f"view_{model.split('.')[1]}")
    assert client.get(page).status_code == 200
    assert AccessEvent.objects.filter(actor=tess, action="R", object_id=rows[model]).count() == 1


def test_form_action_answers_405_with_a_link_to_today_when_opened_directly(client, rows, sign_in):
    sign_in("change_patient", "view_patient")
    page = client.get(reverse("admin:practice_patient_end_links", args=[rows["practice.patient"]]))
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert f'href="{reverse("admin:index")}"' in page.text and "canary" not in page.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_record_is_not_shown_when_the_method_is_not_get_or_post(client, rows, sign_in, method):
    sign_in("view_patient")
    page = client.generic(method, reverse("admin:practice_patient_change", args=[rows["practice.patient"]]))
    assert page.status_code == 405
    assert "canary" not in page.text


def test_view_on_site_requires_the_permission_to_view_the_row(client, rows, sign_in):
    kind = ContentType.objects.get_for_model(Topic).pk
    address = reverse("admin:view_on_site", args=[kind, rows["education.topic"]])
    sign_in("view_patient")
    assert client.get(address).status_code == 403
    sign_in("view_topic")
    assert client.get(address)["Location"].endswith("/learn/topics/hip-and-groin/")
    for nonsense in ("x", "\x00", "99999", f"{kind}0"):
        assert client.get(reverse("admin:view_on_site", args=[nonsense, "x"])).status_code == 404


def test_admin_log_names_no_patient(client, rows):
    client.force_login(User.objects.get(name="Olga Owner"))
    LogEntry.objects.all().delete()
    person = {"name": "Nina Newcanary", "email": "ninacanary@example.com", "phone": "", "time_zone": ""}
    client.post(reverse("admin:practice_patient_add"), person)
    nina = Patient.objects.get(name="Nina Newcanary")
    client.post(reverse("admin:practice_patient_change", args=[nina.pk]), person | {"name": "Nina Oldcanary"})
    stop = Suppression.objects.get()
    client.post(reverse("admin:outbox_suppression_delete", args=[stop.pk]), {"post": "yes"})
    entries = list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message", "object_id"))
    assert [(name, pk) for name, _, pk in entries] == [
        (f"patient {nina.pk}", str(nina.pk)),
        (f"patient {nina.pk}", str(nina.pk)),
        (f"blocked address {stop.pk}", str(stop.pk)),
    ]
    assert "canary" not in str(entries)


# Permissions of their own


def test_importing_publishing_and_signing_off_are_three_permissions(client, rows, sign_in):
    upload = reverse("admin:assessments_questionnaire_upload")
    publish = reverse("admin:assessments_questionnaire_publish", args=[rows["assessments.questionnaire"]])
    page = reverse("admin:assessments_questionnaire_change", args=[rows["assessments.questionnaire"]])
    sign_in("add_questionnaire", "change_questionnaire", "view_questionnaire")
    assert [client.get(upload).status_code, client.post(publish).status_code] == [403, 403]
    sign_in("import_questionnaire")
    assert [client.get(upload).status_code, client.post(publish).status_code] == [200, 403]
    assert publish not in client.get(page).text
    assert upload in client.get(reverse("admin:assessments_questionnaire_changelist")).text
    sign_in("publish_questionnaire")
    assert upload not in client.get(reverse("admin:assessments_questionnaire_changelist")).text
    assert publish in client.get(page).text
    assert [client.get(upload).status_code, client.post(publish).status_code] == [403, 303]
    assert Questionnaire.objects.get().published_at is not None


def test_therapist_signs_off_only_with_the_permission(client, rows, sign_in):
    RuleSignOff.objects.all().delete()
    address, page = reverse("admin:assessments_rules_sign"), reverse("admin:assessments_rulesignoff_changelist")
    therapist = TherapistFactory(user=sign_in("view_rulesignoff"))
    digest = client.get(page).context["digest"]
    assert "Sign off version" not in client.get(page).text
    assert client.post(address, {"digest": digest}).status_code == 403
    therapist.user.user_permissions.add(*permissions("sign_off_rules"))
    assert "Sign off version" in client.get(page).text
    assert client.post(address, {"digest": digest}).status_code == 303
    assert RuleSignOff.objects.get().signed_by == therapist
