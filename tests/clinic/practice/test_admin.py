"""The admin of the clinic, its people and its messages: permissions and the audit log."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AccessEvent
from clinic.outbox.models import Channel, Message, State, Suppression, TextConsent
from clinic.outbox.text.reason_text import explain_reason
from clinic.practice.models import Clinic, Patient, User
from tests.clinic.letters import UNWANTED, why_unwanted
from tests.factories import ClinicFactory, MessageFactory, PatientFactory, TherapistFactory, UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def tess(client):
    tess = UserFactory(name="Tess Walker", is_superuser=True)
    client.force_login(tess)
    return tess


def page(client, name, *args, **query):
    response = client.get(reverse(f"admin:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def trail():
    return list(AccessEvent.objects.order_by("id").values_list("actor__name", "action", "object_type"))


@pytest.mark.parametrize("model", ["therapist", "patient", "user"])
def test_lists_and_forms_open(client, tess, model):
    row = {"therapist": TherapistFactory, "patient": PatientFactory, "user": UserFactory}[model]()

    assert row.name in page(client, f"practice_{model}_changelist")
    assert row.name in page(client, f"practice_{model}_change", row.pk)
    assert page(client, f"practice_{model}_add")


@pytest.mark.parametrize("model", ["clinic", "therapist", "patient", "user"])
def test_rows_cannot_be_deleted_in_the_admin(client, tess, model):
    row = {
        "clinic": ClinicFactory,
        "therapist": TherapistFactory,
        "patient": PatientFactory,
        "user": UserFactory,
    }[model]()

    assert client.post(reverse(f"admin:practice_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_clinic_opens_at_its_form_and_its_phone_is_normalized(client, tess):
    listing = reverse("admin:practice_clinic_changelist")
    assert client.get(listing)["Location"] == reverse("admin:practice_clinic_add")
    ClinicFactory()
    assert client.get(listing)["Location"] == reverse("admin:practice_clinic_change", args=[1])
    form = client.get(reverse("admin:practice_clinic_change", args=[1])).context["adminform"].form
    fields = {name: form[name].value() if form[name].value() is not None else "" for name in form.fields}

    response = client.post(reverse("admin:practice_clinic_change", args=[1]), fields | {"phone": "(603) 555 0142"})

    assert response.status_code == 302
    assert Clinic.objects.current().phone == "+16035550142"
    assert client.get(reverse("admin:practice_clinic_add")).status_code == 403


def test_member_of_staff_is_added_with_a_lowercase_address(client, tess):
    fields = {"email": "Bob@Clinic.example", "name": "Bob Stone", "roles": ["editor"]}

    response = client.post(reverse("admin:practice_user_add"), fields)

    assert response.status_code == 302
    assert User.objects.get(name="Bob Stone").email == "bob@clinic.example"


def test_viewing_and_changing_a_patient_is_recorded(client, tess):
    alice = PatientFactory()
    page(client, "practice_patient_change", alice.pk)
    url = reverse("admin:practice_patient_change", args=[alice.pk])
    client.post(url, {"name": "Alice  Moore-Hill", "email": alice.email, "phone": "603 555 0177", "time_zone": ""})

    alice.refresh_from_db()
    assert (alice.name, alice.phone) == ("Alice Moore-Hill", "+16035550177")
    assert trail() == [("Tess Walker", "R", "practice.patient"), ("Tess Walker", "U", "practice.patient")]
    assert list(AccessEvent.objects.values_list("patient_ids", flat=True)) == [[alice.pk]] * 2


def test_patient_is_refused_with_the_reason_when_the_same_person_exists(client, tess):
    alice = PatientFactory()
    fields = {"name": alice.name.upper(), "email": alice.email.upper(), "phone": "", "time_zone": ""}

    response = client.post(reverse("admin:practice_patient_add"), fields)

    assert response.status_code == 200
    assert response.context["errors"]
    assert Patient.objects.count() == 1


def test_audit_log_is_read_only(client, tess):
    page(client, "practice_patient_change", PatientFactory().pk)
    event = AccessEvent.objects.get()

    assert "practice.patient" in page(client, "audit_accessevent_changelist")
    assert page(client, "audit_accessevent_change", event.pk)
    assert client.post(reverse("admin:audit_accessevent_change", args=[event.pk]), {"action": "U"}).status_code == 403
    assert client.post(reverse("admin:audit_accessevent_delete", args=[event.pk]), {"post": "yes"}).status_code == 403


# The list of messages


def act(client, action, *messages):
    chosen = {"action": action, "_selected_action": [message.pk for message in messages]}
    return client.post(reverse("admin:outbox_message_changelist"), chosen, follow=True).content.decode()


def test_message_list_shows_every_state_with_its_reason(client, tess):
    now = timezone.now()
    MessageFactory(state=State.FAILED, reason="SMTPDataError 550", settled_at=now)
    MessageFactory(state=State.SENT, settled_at=now)
    MessageFactory()

    ledger = page(client, "outbox_message_changelist")

    for words in (
        "The mail server refused this message (code 550).",
        "chip-urgent",
        "chip-ok",
        "chip-quiet",
        "Alice Runner",
    ):
        assert words in ledger
    assert "(code 550)" not in page(client, "outbox_message_changelist", state="sent")


def test_message_list_uses_the_clinics_time_zone(client, tess):
    ClinicFactory(time_zone="America/New_York")
    MessageFactory(due_at=NOON)

    assert "Tue, Dec 1, 12:00 PM" in page(client, "outbox_message_changelist")


@pytest.mark.parametrize("count", [1, 30])
def test_message_list_costs_the_same_queries_for_one_message_and_for_thirty(
    client, tess, count, django_assert_max_num_queries
):
    MessageFactory.create_batch(count)
    with django_assert_max_num_queries(10):
        page(client, "outbox_message_changelist")


def test_staff_cancel_waiting_messages_and_send_failed_ones_again(client, tess, letter_kinds):
    now = timezone.now()
    soon = {"due_at": now, "not_after": now + timedelta(hours=4)}
    waiting, failed = MessageFactory(**soon), MessageFactory(**soon, state="failed", reason="x", settled_at=now)

    cancelled = act(client, "cancel", waiting, failed)
    assert "1 will not be sent." in cancelled
    assert "1 left as before" in cancelled
    assert "1 on its way again." in act(client, "resend", failed)
    assert "1 left as before" in act(client, "resend", failed)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("skipped", "cancelled by staff")
    assert Message.objects.filter(state=State.WAITING).count() == 1
    acted = [("Tess Walker", "E", "outbox.message")]
    assert [line for line in trail() if line[1] == "E"] == [*acted, *acted, ("Tess Walker", "E", "")]


def test_message_that_would_be_skipped_is_not_sent_again(client, tess, letter_kinds):
    now = timezone.now()
    soon = {"due_at": now, "not_after": now + timedelta(hours=4), "state": "skipped", "settled_at": now}
    unwanted, wanted = MessageFactory(**soon, reason="x"), MessageFactory(**soon, reason="x")
    retired = MessageFactory(**soon, reason="x", kind="no_such_kind")
    UNWANTED.add(unwanted.pk)

    answer = act(client, "resend", unwanted, wanted, retired)

    assert explain_reason(why_unwanted(unwanted, now)) in answer
    copy = Message.objects.get(state=State.WAITING)
    assert copy.subject_id == wanted.subject_id
    assert [line for line in trail() if line[1] == "E"] == [("Tess Walker", "E", "outbox.message")]
    assert reverse("admin:outbox_message_change", args=[copy.pk]) in page(client, "outbox_message_change", wanted.pk)


def test_page_of_a_message_has_a_button_for_each_possible_action(client, tess, letter_kinds):
    now = timezone.now()
    soon = {"due_at": now, "not_after": now + timedelta(hours=4)}
    waiting, failed = MessageFactory(**soon), MessageFactory(**soon, state="failed", reason="x", settled_at=now)
    old = {"due_at": now - timedelta(hours=4), "not_after": now - timedelta(hours=1)}
    late = MessageFactory(**old, state="failed", reason="x", settled_at=now)

    def button(message, act):
        return reverse("admin:outbox_message_act", args=[message.pk, act])

    assert button(waiting, "cancel") in page(client, "outbox_message_change", waiting.pk)
    assert button(waiting, "resend") not in page(client, "outbox_message_change", waiting.pk)
    assert button(failed, "resend") in page(client, "outbox_message_change", failed.pk)
    too_late = page(client, "outbox_message_change", late.pk)
    assert button(late, "resend") not in too_late and "too late" in too_late
    assert "1 on its way again." in client.post(button(failed, "resend"), follow=True).content.decode()
    assert button(failed, "resend") not in page(client, "outbox_message_change", failed.pk)
    assert "1 will not be sent." in client.post(button(waiting, "cancel"), follow=True).content.decode()
    assert client.post(button(waiting, "explode")).status_code == 302
    assert Message.objects.filter(state=State.WAITING).count() == 1


def test_message_is_read_only(client, tess):
    message = MessageFactory()
    url = reverse("admin:outbox_message_change", args=[message.pk])

    assert "lease_token" not in page(client, "outbox_message_change", message.pk)
    assert client.post(url, {"state": "sent"}).status_code == 403
    assert client.get(reverse("admin:outbox_message_add")).status_code == 403
    assert client.post(reverse("admin:outbox_message_delete", args=[message.pk]), {"post": "yes"}).status_code == 403


def test_messages_cannot_be_sent_again_with_the_permission_to_view(client):
    bob = UserFactory(name="Bob Stone")
    bob.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(bob)
    message = MessageFactory(state=State.FAILED, reason="x", settled_at=timezone.now())

    assert 'value="resend"' not in page(client, "outbox_message_changelist")
    act(client, "resend", message)

    assert Message.objects.count() == 1


@pytest.mark.parametrize("rights", [["view"], ["view", "change"]])
def test_phone_numbers_are_formatted_and_can_be_dialed(client, rights):
    ClinicFactory(phone="+16035550142", country="US")
    patient = PatientFactory(phone="+16035550117;ext=12")
    consent = TextConsent.objects.create(patient=patient, phone="+16035550118", wording="Yes.", given_at=NOON)
    stopped = Suppression.objects.create(
        channel=Channel.SMS, address="+16035550119", why=Suppression.Why.UNSUBSCRIBED, created_at=NOON
    )
    staff = UserFactory()
    models = ("patient", "clinic", "textconsent", "suppression")
    codenames = [f"{right}_{model}" for right in rights for model in models]
    staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(staff)

    shown = [
        page(client, "practice_patient_changelist"),
        page(client, "outbox_textconsent_changelist"),
        page(client, "outbox_suppression_changelist"),
        page(client, "outbox_textconsent_change", consent.pk),
        page(client, "outbox_suppression_change", stopped.pk),
    ]
    if "change" not in rights:
        shown += [page(client, "practice_patient_change", patient.pk), page(client, "practice_clinic_change", 1)]
    for html in shown:
        text = re.sub(r"<[^>]*>", " ", html)
        assert "(603) 555-01" in text and "+1603" not in text
        assert re.search(r'href="tel:\+160355501\d\d', html)
    assert "(603) 555-0117 ext. 12" in shown[0]
