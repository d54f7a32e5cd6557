"""A patient's record across all rooms: timeline, export, erasure and merge."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpResponse

from assessments.holdings import OpenFlag
from assessments.models import Flag, Response
from booking.browser.recognized import recognized_patient, remember_patient
from booking.models import Appointment, WaitListEntry
from booking.staff.holdings import UpcomingVisit
from clinic.audit.fields import EncryptedJSONField
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Message, State, Suppression, TextConsent
from clinic.outbox.sending.refusals import WAS_ERASED, why_not_again
from clinic.practice.access.links import issue_link, open_link
from clinic.practice.models import LinkPurpose, Patient, PatientLink, Proof, User
from clinic.practice.people.merging import (
    KeptPatientUnconfirmed,
    MergeRefused,
    PatientGone,
    SamePatient,
    merge_patients,
)
from clinic.practice.people.patients import accept_patient, find_or_register_patient
from clinic.practice.people.records import (
    MOST_LINES,
    PatientErased,
    erase_patient,
    export_patient,
    read_timeline,
    rows_of_person,
)
from clinic.practice.registry.holdings import NotNeeded, holdings
from tests.booking.locking import race
from tests.factories import MessageFactory, PatientFactory, UserFactory
from tests.patient_record import AFTER, make_record, write_everywhere
from tests.world import DAY, HOUR, NINE_ON_TUESDAY, NOW, book

GONE, KEPT = "Zq7gone", "Zq7kept"


@pytest.fixture
def nina(db):
    """Return Nina, whose name, address and number no other patient has."""
    return PatientFactory(name="Ninazq7 Walker", email="ninazq7@example.com", phone="+16035557731")


@pytest.fixture
def record(nina, evaluation, charlie):
    return make_record(nina, service=evaluation, staff=charlie)


def table_texts() -> dict[str, str]:
    """Return the content of every table as text by model label, with encrypted columns and sessions decoded."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" AS t')
            text = "\n".join(row[0] for row in cursor.fetchall())
        sealed = [one.name for one in model._meta.concrete_fields if isinstance(one, EncryptedJSONField)]
        for row in model._base_manager.all() if sealed else ():
            text += json.dumps([getattr(row, name) for name in sealed])
        if model._meta.label == "sessions.Session":
            text = json.dumps([SessionStore().decode(row.session_data) for row in model._base_manager.all()])
        found[model._meta.label_lower] = text
    return found


def tables_with(word: str) -> set[str]:
    return {label for label, text in table_texts().items() if word.casefold() in text.casefold()}


# Erase


def test_every_holding_has_a_row_in_the_record(nina, record):
    empty = {holding.model._meta.label for holding in holdings() if not holding.find([nina]).exists()}
    assert empty == {"sessions.Session"}, "found by its text"


def test_nothing_of_an_erased_patient_is_in_any_table(nina, record, charlie):
    written = write_everywhere(nina, gone=GONE, kept=KEPT)
    words = (GONE, "Ninazq7", "Greta", "5557731", "5550188")
    before = {word: tables_with(word) for word in words}
    kept = tables_with(KEPT)
    assert {label.rpartition(".")[0] for label in written} == before[GONE]
    assert before["Ninazq7"] >= {"practice.patient", "outbox.suppression", "booking.returnrequest", "sessions.session"}
    assert before["5557731"] >= {"practice.patient", "outbox.suppression"}

    erase_patient(nina, by=charlie, now=AFTER)

    assert {word: tables_with(word) for word in words} == {word: set() for word in words}
    assert tables_with(KEPT) == kept, "the page says that these columns stay"


def test_erasure_finds_every_column_that_it_must_overwrite(nina, record):
    """Without any erase function, each written word is still found, so that the test above can fail."""
    written = write_everywhere(nina, gone=GONE, kept=KEPT)
    assert written >= {
        "booking.appointment.guardian_name",
        "booking.appointment.visitor_time_zone",
        "assessments.response.answers",
        "assessments.flag.rule_id",
        "assessments.flag.snapshot",
        "assessments.score.result",
        "outbox.inboundtext.words",
        "outbox.message.reason",
        "outbox.textconsent.wording",
        "admin.logentry.object_repr",
        "booking.waitlistentry.time_zone",
    }
    assert {label.rpartition(".")[0] for label in written} == tables_with(GONE)


def test_erased_patient_leaves_lists_and_searches_and_is_recorded_once(nina, record, charlie):
    earlier = AccessEvent.objects.count()
    erase_patient(nina, by=charlie, now=AFTER)

    nina.refresh_from_db()
    assert nina.erased_at == AFTER and nina.email.endswith(".invalid")
    assert not Patient.objects.current().filter(pk=nina.pk).exists()
    event = AccessEvent.objects.order_by("-pk").first()
    assert (event.actor, event.action, event.patient_ids) == (charlie, "D", [nina.pk])
    assert AccessEvent.objects.count() == earlier + 1


def test_erased_patient_who_comes_back_is_a_new_one(nina, record, charlie):
    identity = {"name": nina.name, "email": nina.email, "phone": nina.phone}
    erase_patient(nina, by=charlie, now=AFTER)
    assert find_or_register_patient(**identity, now=AFTER) != nina


def test_skeleton_of_an_erased_patient_stays(nina, record, charlie):
    erase_patient(nina, by=charlie, now=AFTER)

    visit = Appointment.objects.get(pk=record.pk)
    assert (visit.starts_at, visit.arrived_at, visit.reference) == (
        NINE_ON_TUESDAY,
        NINE_ON_TUESDAY,
        record.reference,
    )
    assert Flag.objects.get(response__patient=nina).level == "E"
    assert Response.objects.get(patient=nina).answers == {}
    assert not TextConsent.objects.filter(patient=nina, withdrawn_at=None).exists()
    assert not WaitListEntry.objects.waiting().filter(patient=nina).exists()
    assert not Message.objects.filter(patient=nina, state=State.WAITING).exists()


def test_rows_merged_into_an_erased_patient_are_erased_too(nina, evaluation, charlie):
    other = PatientFactory(name="Ninazq7 Wlaker", email="ninazq7-old@example.com")
    merge_patients(other, nina, by=charlie, now=NOW)
    erase_patient(nina, by=charlie, now=AFTER)
    assert tables_with("Ninazq7") == set()


def test_patient_with_an_upcoming_visit_is_not_erased(nina, record, charlie):
    book(record.service, starts_at=NINE_ON_TUESDAY + 2 * DAY, name=nina.name, email=nina.email)
    with pytest.raises(UpcomingVisit):
        erase_patient(nina, by=charlie, now=AFTER)
    nina.refresh_from_db()
    assert nina.erased_at is None and nina.name == "Ninazq7 Walker"


def test_patient_with_an_open_flag_is_not_erased(nina, record, charlie):
    Flag.objects.update(staff_acknowledged_at=None, staff_acknowledged_by=None)
    with pytest.raises(OpenFlag):
        erase_patient(nina, by=charlie, now=AFTER)
    assert Response.objects.get(patient=nina).answers


def test_patient_is_erased_once(nina, charlie):
    erase_patient(nina, by=charlie, now=NOW)
    with pytest.raises(PatientErased):
        erase_patient(nina, by=charlie, now=NOW)


def test_address_and_texts_that_another_patient_shares_are_kept(nina, record, charlie):
    PatientFactory(name="Sam Walker", email=nina.email, phone=nina.phone)
    erase_patient(nina, by=charlie, now=AFTER)
    assert Suppression.objects.count() == 2


# Export


def test_export_has_every_permitted_holding_and_nothing_of_others(nina, record, charlie):
    other = PatientFactory(name="Ottoline Other", email="ottoline@example.com", phone="+16035550155")
    make_record(other, service=record.service, staff=charlie, starts_at=NINE_ON_TUESDAY + 2 * HOUR)

    exported = export_patient(nina, by=charlie, now=AFTER)

    written = json.dumps(exported)
    assert exported["left_out"] == []
    exportable = {holding.title for holding in holdings() if not isinstance(holding.export, NotNeeded)}
    assert set(exported["record"]) == exportable and all(exported["record"].values())
    for text in ("Ninazq7", "The left hip", "Where does it hurt?", "It is Ninazq7", "Greta", record.reference):
        assert text in written
    theirs = {str(row.pk) for holding in holdings() for row in holding.find([other])}
    theirs = {key for key in theirs if len(key) > 20} | {"Ottoline", "ottoline", "5550155"}
    assert [text for text in theirs if text in written] == []


def test_export_leaves_out_and_names_what_the_member_of_staff_may_not_see(nina, record):
    frank = UserFactory()
    frank.user_permissions.set(Permission.objects.filter(codename__in=["view_patient", "view_appointment"]))
    exported = export_patient(nina, by=User.objects.get(pk=frank.pk), now=AFTER)
    assert "intakes" not in exported["record"] and "visits" in exported["record"]
    assert {"intakes", "flags", "scores"} <= set(exported["left_out"])
    assert "left hip" not in json.dumps(exported)


def test_export_is_recorded_once(nina, charlie):
    export_patient(nina, by=charlie, now=NOW)
    event = AccessEvent.objects.get()
    assert (event.actor, event.action, event.patient_ids) == (charlie, "E", [nina.pk])


# Timeline


def test_timeline_has_what_the_rooms_registered_newest_first(nina, record, charlie):
    timeline = read_timeline(nina, by=charlie, now=AFTER)
    instants = [line.at for line in timeline.lines]
    assert instants == sorted(instants, reverse=True) and not timeline.is_cut
    for what in ("Visit, ", "Arrived", "Joined the wait list", "Questions answered", "Flag raised", "Agreed to text"):
        assert any(line.what.startswith(what) for line in timeline.lines), what
    assert all(line.at.tzinfo for line in timeline.lines)


def test_timeline_has_only_lines_whose_permission_is_held(nina, record):
    frank = UserFactory()
    frank.user_permissions.set(Permission.objects.filter(codename__in=["view_patient", "view_waitlistentry"]))
    lines = read_timeline(nina, by=User.objects.get(pk=frank.pk), now=AFTER).lines
    assert {line.what.split(":")[0] for line in lines} == {"Joined the wait list", "Added as a patient"}


def test_timeline_says_nothing_of_answers_and_texts(nina, record, charlie):
    text = " ".join(line.what for line in read_timeline(nina, by=charlie, now=AFTER).lines)
    assert not [word for word in ("hip", "RF01", "It is", "uwri", "Greta") if word in text]


def test_timeline_is_cut_unless_all_is_asked_for(nina, charlie):
    for number in range(MOST_LINES + 5):
        MessageFactory(patient=nina, due_at=NOW + number * HOUR)
    newest, whole = (read_timeline(nina, by=charlie, is_whole=is_whole, now=NOW) for is_whole in (False, True))
    assert (len(newest.lines), newest.is_cut) == (MOST_LINES, True)
    assert (len(whole.lines), whole.is_cut) == (MOST_LINES + 6, False)
    assert whole.lines[:MOST_LINES] == newest.lines


# Merge


@pytest.fixture
def twin(nina, record, charlie):
    """Nina's other record, which has rows in every room too."""
    twin = PatientFactory(name="Nina Zq7", email="nina.other@example.com", phone="+16035557732")
    make_record(twin, service=record.service, staff=charlie, starts_at=NINE_ON_TUESDAY + 2 * HOUR)
    return twin


def keys_of(patients) -> dict[str, set]:
    return {holding.title: set(holding.find(patients).values_list("pk", flat=True)) for holding in holdings()}


def test_holdings_read_the_same_rows_after_a_merge_as_for_both_before(nina, twin, charlie):
    before = keys_of([nina, twin])
    merge_patients(twin, nina, by=charlie, now=AFTER)
    after = keys_of(rows_of_person(nina))
    assert {title: before[title] - keys for title, keys in after.items()} == {title: set() for title in after}
    kept = keys_of([nina])
    stays = {"contact details", "audit log", "log of edits", "blocked addresses", "requests for links"}
    stays |= {"text messages received"}
    assert {title for title in kept if kept[title] < before[title]} <= stays
    assert keys_of([twin])["visits"] == set()


def test_merge_says_what_it_could_not_move(nina, twin, charlie):
    left = merge_patients(twin, nina, by=charlie, now=AFTER)
    assert len(left) == 2
    assert WaitListEntry.objects.waiting().filter(patient=nina).count() == 1
    assert TextConsent.objects.filter(patient=nina, withdrawn_at=None).count() == 1


def test_merge_is_recorded_once_under_both_ids(nina, bob, charlie):
    merge_patients(bob, nina, by=charlie, now=NOW)
    event = AccessEvent.objects.get()
    assert (event.actor, event.action, event.object_id, event.patient_ids) == (
        charlie,
        "U",
        str(bob.pk),
        [nina.pk],
    )


def test_kept_patient_gets_only_the_contact_details_that_it_lacks(nina, charlie):
    plain = PatientFactory(name="Nina", email="plain@example.com", phone="")
    merge_patients(nina, plain, by=charlie, now=NOW)
    plain.refresh_from_db()
    assert (plain.name, plain.email, plain.phone) == ("Nina", "plain@example.com", nina.phone)


@pytest.mark.parametrize("email", ["ninazq7@example.com", ""])
def test_identity_of_a_merged_patient_leads_to_the_kept_one(charlie, alice, email):
    merged = PatientFactory(name="Ninazq7 Walker", email=email, phone="+16035557731")
    merge_patients(merged, alice, by=charlie, now=NOW)
    typed = {"name": "WALKER, ninazq7", "email": email, "phone": "+1 603-555-7731".replace(" ", "").replace("-", "")}
    found = find_or_register_patient(**typed, now=NOW)
    assert found == alice
    assert Patient.objects.count() == 2


def test_proof_of_a_merged_patients_mailbox_leads_to_the_kept_one(nina, alice, evaluation, charlie):
    merge_patients(nina, alice, by=charlie, now=NOW)
    visit = book(evaluation, name=nina.name, email=nina.email, is_known=False)
    assert visit.patient.is_provisional
    assert accept_patient(visit.patient, now=NOW) == alice
    visit.refresh_from_db()
    assert visit.patient == alice


def test_kept_patient_can_take_the_address_of_the_merged_one(charlie, alice):
    other = PatientFactory(name=alice.name, email="new@example.com")
    merge_patients(other, alice, by=charlie, now=NOW)
    alice.email = other.email
    alice.save()
    assert find_or_register_patient(name=alice.name, email="new@example.com", phone="", now=NOW) == alice


def test_merges_are_flat(alice, bob, nina, charlie):
    merge_patients(bob, alice, by=charlie, now=NOW)
    merge_patients(alice, nina, by=charlie, now=NOW)
    assert set(rows_of_person(nina)) == {alice, bob, nina}


def test_links_of_another_mailbox_end_and_upcoming_visits_are_confirmed_to_the_kept_one(
    nina, alice, evaluation, charlie
):
    visit = book(evaluation, name=nina.name, email=nina.email, phone=nina.phone)
    make_link(nina)
    merge_patients(nina, alice, by=charlie, now=NOW)
    assert not PatientLink.objects.filter(patient=alice, revoked_at=None).exists()
    news = Message.objects.filter(subject_id=visit.pk, state=State.WAITING, kind="booking_booked")
    assert [message.patient for message in news] == [alice]


def test_links_of_the_same_mailbox_work_for_the_kept_patient(nina, evaluation, charlie):
    twin = PatientFactory(name="Nina W.", email=nina.email.upper(), phone=nina.phone)
    token = make_link(twin)
    merge_patients(twin, nina, by=charlie, now=NOW)
    assert open_link(token=token, purpose=LinkPurpose.MESSAGES, now=NOW).patient == nina


def make_link(patient) -> str:
    return issue_link(
        patient=patient,
        purpose=LinkPurpose.MESSAGES,
        subject_id=patient.pk,
        proof=Proof.MAILED,
        expires_at=NOW + timedelta(days=30),
        now=NOW,
    )


@pytest.mark.django_db(transaction=True)
def test_two_merges_of_the_same_records_do_not_deadlock(evaluation, alice, bob, charlie):
    make_record(alice, service=evaluation, staff=charlie)
    make_record(bob, service=evaluation, staff=charlie, starts_at=NINE_ON_TUESDAY + 2 * HOUR)

    def merge(source, target):
        try:
            merge_patients(source, target, by=charlie, now=AFTER)
        except MergeRefused as refused:
            return type(refused)

    assert set(race([lambda: merge(alice, bob), lambda: merge(bob, alice)])) == {None, PatientGone}


def test_message_to_an_erased_patient_cannot_be_sent_again(nina, record, charlie):
    sent = Message.objects.get(kind="booking_booked", subject_id=record.pk)
    assert why_not_again(sent, now=NOW) != WAS_ERASED
    erase_patient(nina, by=charlie, now=AFTER)
    sent.refresh_from_db()
    assert why_not_again(sent, now=AFTER) == WAS_ERASED


def test_cookie_of_a_merged_patient_recognizes_the_kept_one(rf, nina, alice, charlie):
    twin = PatientFactory(name="Nina W.", email=nina.email)
    request = rf.get("/")
    make_link(twin)
    request.link = PatientLink.objects.get(patient=twin)
    answer = remember_patient(request, HttpResponse(), twin)
    request.COOKIES = {name: morsel.value for name, morsel in answer.cookies.items()}
    assert recognized_patient(request) == twin
    merge_patients(twin, nina, by=charlie, now=NOW)
    assert recognized_patient(request) == nina


def test_patient_is_not_merged_into_itself_or_into_a_provisional_or_merged_one(alice, bob, nina, charlie):
    typed = PatientFactory(name="Nina", email="typed@example.com", is_provisional=True)
    merge_patients(bob, nina, by=charlie, now=NOW)
    for source, target, refusal in (
        (alice, alice, SamePatient),
        (alice, typed, KeptPatientUnconfirmed),
        (alice, bob, PatientGone),
        (bob, alice, PatientGone),
    ):
        with pytest.raises(refusal):
            merge_patients(source, target, by=charlie, now=NOW)
