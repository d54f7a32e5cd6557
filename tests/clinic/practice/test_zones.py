"""The clinic's time zone: chosen by staff, proposed from the state, and changed after they see the affected visits."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.forms import Select
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.actions.block_time import block_time
from booking.actions.change import cancel_appointment
from booking.models import Appointment
from clinic.practice.fields.form_fields import ZoneField
from clinic.practice.models import Clinic
from clinic.practice.values.zones import STATES, US_ZONES, zone_label, zone_names, zones_of_state
from tests.factories import ClinicFactory, UserFactory
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

ADD, CHANGE = "admin:practice_clinic_add", "admin:practice_clinic_change"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def tess(client):
    tess = UserFactory(name="Tess Walker", is_superuser=True)
    client.force_login(tess)
    return tess


def address() -> str:
    return reverse(CHANGE, args=[1]) if Clinic.objects.exists() else reverse(ADD)


def fields_of(client) -> dict:
    form = client.get(address()).context["adminform"].form
    return {name: "" if form[name].value() is None else form[name].value() for name in form.fields}


def send(client, **typed):
    return client.post(address(), fields_of(client) | typed)


def chosen_zone(response) -> str:
    return response.context["adminform"].form["time_zone"].value()


# States


@pytest.mark.parametrize("text", ["NH", "nh", " N.H. ", "New Hampshire", "new  hampshire"])
def test_state_is_read_in_every_usual_spelling(text):
    assert zones_of_state(text) == ("New Hampshire", ("America/New_York",))


@pytest.mark.parametrize("text", ["", "XX", "Bavaria"])
def test_unknown_state_has_no_zone(text):
    assert zones_of_state(text) == ("", ())


def test_every_state_has_zones_that_exist_and_are_listed():
    assert len(STATES) == 50 + 1 + 5
    assert {zone for _, *zones in STATES.values() for zone in zones} <= US_ZONES.keys() <= zone_names()


def test_us_zones_are_listed_first_and_no_zone_twice():
    empty, us, others = ZoneField(empty_label="Choose").choices

    assert empty == ("", "Choose")
    assert [name for name, _ in us[1]][:2] == ["America/New_York", "America/Chicago"]
    names = [name for _, group in (us, others) for name, _ in group]
    assert len(names) == len(set(names))
    assert "Europe/Berlin" in names


# The first form of a new clinic


def test_first_form_selects_no_zone(client, tess):
    assert chosen_zone(client.get(reverse(ADD))) is None


def test_zone_is_required_and_nothing_is_stored_without_it(client, tess):
    response = send(client, name="Lakes", region="")

    assert response.context["adminform"].form.has_error("time_zone", "required")
    assert not Clinic.objects.exists()


def test_state_proposes_its_zone_which_is_stored_when_sent_again(client, tess):
    response = send(client, name="Lakes", region="Colorado")

    assert "Mountain time (Denver)" in response.content.decode()
    assert chosen_zone(response) == "America/Denver"
    assert not Clinic.objects.exists()
    assert send(client, name="Lakes", region="Colorado", time_zone=chosen_zone(response)).status_code == 302
    assert Clinic.objects.current().time_zone == "America/Denver"


def test_state_with_two_zones_names_both_and_selects_none(client, tess):
    response = send(client, name="Lakes", region="FL")

    assert all(city in response.content.decode() for city in ("(New York)", "(Chicago)"))
    assert chosen_zone(response) == ""


def test_state_of_another_country_proposes_nothing(client, tess):
    response = send(client, name="Perth", region="WA", country="AU")

    assert "Washington" not in response.content.decode()
    assert chosen_zone(response) == ""


# An existing clinic


def test_form_warns_when_the_zone_is_not_one_of_the_state(client, tess):
    ClinicFactory(time_zone="Africa/Abidjan")
    page = client.get(address()).content.decode()
    assert "Eastern time (New York)" in page and "is set to Africa/Abidjan" in page

    Clinic.objects.update(time_zone="America/New_York")
    assert "New Hampshire is on" not in client.get(address()).content.decode()


def test_unlisted_zone_can_be_kept(client, tess):
    ClinicFactory(time_zone="UTC", region="")
    assert send(client, name="Another name").status_code == 302
    assert Clinic.objects.current().time_zone == "UTC"


def test_zone_changes_at_once_when_nothing_is_booked(client, tess):
    ClinicFactory()
    assert send(client, time_zone="America/Chicago").status_code == 302
    assert Clinic.objects.current().zone == ZoneInfo("America/Chicago")


def test_change_of_zone_lists_affected_visits_and_stores_nothing_until_confirmed(client, tess, evaluation, meredith):
    visit = book(evaluation)
    block_time(therapist=meredith, starts_at=NINE_ON_TUESDAY + 3 * HOUR, ends_at=NINE_ON_TUESDAY + 4 * HOUR, by=tess)
    cancel_appointment(appointment=book(evaluation, name="Bob Stone", starts_at=NINE_ON_TUESDAY + HOUR), now=NOW)

    response = send(client, time_zone="America/Chicago")

    form = response.context["adminform"].form
    assert [(one.what, one.before, one.after) for one in form.moved] == [
        ("Alice Runner, Evaluation", "Tue, Dec 1, 9:00 AM", "Tue, Dec 1, 8:00 AM"),
        ("Blocked time, Meredith", "Tue, Dec 1, 12:00 PM", "Tue, Dec 1, 11:00 AM"),
    ]
    page = response.content.decode()
    assert "Alice Runner, Evaluation" in page and "Bob Stone" not in page
    assert 'name="zone_confirmed" value="America/Chicago"' in page
    assert Clinic.objects.current().time_zone == "America/New_York"

    confirmed = {"time_zone": "America/Chicago", "zone_confirmed": "America/Chicago"}
    asked = send(client, **confirmed)
    assert "1 booked visit is outside" in asked.content.decode()
    assert Clinic.objects.current().time_zone == "America/New_York"

    assert send(client, **confirmed, affected_visits_seen=asked.context["seen"]).status_code == 302
    assert Clinic.objects.current().time_zone == "America/Chicago"
    visit.refresh_from_db()
    assert (visit.starts_at, visit.version) == (NINE_ON_TUESDAY, 1)


def test_confirming_one_zone_does_not_confirm_another(client, tess, evaluation):
    book(evaluation)

    response = send(client, time_zone="America/Denver", zone_confirmed="America/Chicago")

    assert response.context["adminform"].form.moved[0].after == "Tue, Dec 1, 7:00 AM"
    assert Clinic.objects.current().time_zone == "America/New_York"


def test_zone_with_the_same_clock_affects_no_visit(client, tess, evaluation):
    book(evaluation)
    assert send(client, time_zone="America/Detroit").status_code == 302


def test_only_visits_whose_clock_time_changes_are_listed(client, tess, evaluation):
    """Arizona has no daylight saving time: compared with Denver, only the clock times of summer visits change."""
    winter = book(evaluation)
    summer = book(evaluation, name="Bob Stone", starts_at=NINE_ON_TUESDAY + HOUR)
    Clinic.objects.update(time_zone="America/Denver")
    at = summer.starts_at.replace(year=2027, month=6)
    Appointment.objects.filter(pk=summer.pk).update(starts_at=at, ends_at=at + HOUR, blocked=(at, at + HOUR))

    moved = send(client, time_zone="America/Phoenix", region="").context["adminform"].form.moved

    assert [one.what for one in moved] == ["Bob Stone, Evaluation"]
    assert winter.status == "booked"


def test_visits_booked_before_the_clinic_was_entered_are_listed_too(client, tess, evaluation):
    book(evaluation)
    Clinic.objects.all().delete()

    response = send(client, name="Lakes", region="CA", time_zone="America/Los_Angeles")

    assert response.context["adminform"].form.moved[0].after == "Tue, Dec 1, 6:00 AM"
    assert not Clinic.objects.exists()


def test_patients_are_not_named_without_the_permission_to_view_visits(client, evaluation):
    book(evaluation)
    bob = UserFactory(name="Bob Stone")
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_clinic", "change_clinic"]))
    client.force_login(bob)

    response = send(client, time_zone="America/Chicago")

    assert [one.what for one in response.context["adminform"].form.moved] == ["Evaluation"]
    assert "Alice" not in response.content.decode()


def test_clinic_can_be_viewed_without_the_permission_to_change_it(client, clinic):
    bob = UserFactory(name="Bob Stone")
    bob.user_permissions.set(Permission.objects.filter(codename="view_clinic"))
    client.force_login(bob)

    assert "Lakes Running Clinic" in client.get(address()).content.decode()


def test_list_of_affected_visits_costs_the_same_queries_for_one_visit_and_for_five(client, tess, evaluation):
    typed, counts = fields_of(client) | {"time_zone": "America/Chicago"}, []
    for number, hours in enumerate((0, 1, 2, 4, 5), start=1):
        book(evaluation, name=f"Runner{number} Stone", starts_at=NINE_ON_TUESDAY + hours * HOUR)
        with CaptureQueriesContext(connection) as queries:
            assert len(client.post(address(), typed).context["adminform"].form.moved) == number
        counts.append(len(queries))
    assert len(set(counts)) == 1


# Forms and model defaults: a form field declared by us would drop the model's default


def forms_to_add(client, staff):
    """Yield (model, form) for every admin page that adds a row, as first opened."""
    request = RequestFactory().get("/")
    request.user = staff
    for model, page in admin.site._registry.items():
        if page.has_add_permission(request):
            context = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")).context
            yield model, context["adminform"].form if "adminform" in context else context["form"]


def test_every_admin_form_starts_with_its_models_defaults(client, tess):
    """The clinic's time zone is the one intended exception."""
    faults = []
    for model, form in forms_to_add(client, tess):
        for field in model._meta.concrete_fields:
            if field.name not in form.fields or not field.has_default() or callable(field.default):
                continue
            proposed = form[field.name].value()
            if form.fields[field.name].has_changed(field.default, proposed) and (model, field.name) != (
                Clinic,
                "time_zone",
            ):
                faults.append(f"{model.__name__}.{field.name} proposes {proposed!r} for {field.default!r}")
    assert not faults


def test_no_admin_select_preselects_its_first_option_without_a_model_default(client, tess):
    faults = []
    for model, form in forms_to_add(client, tess):
        for name, field in form.fields.items():
            if not isinstance(field.widget, Select) or field.widget.allow_multiple_selected or form[name].value():
                continue
            (value, words), *_ = list(field.widget.choices)
            if str(value) != "":
                faults.append(f"{model.__name__}.{name} is {words!r} by default")
    assert not faults


def test_label_of_a_foreign_zone_is_its_name():
    assert zone_label("America/Port_of_Spain") == "America/Port of Spain"
