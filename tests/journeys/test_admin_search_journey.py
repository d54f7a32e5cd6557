"""Staff search for people inside admin forms, and no URL contains a name."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from playwright.sync_api import expect

from booking.models import WaitListEntry
from clinic.practice.models import Therapist, User
from clinic.practice.people.patients import find_or_register_patient
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
DESKTOP = {"width": 1280, "height": 900}
SECRET = "a long enough secret"
NAMES = ("Zelda Quillfeather", "Zelda Quince", "Bob Walker")


@pytest.fixture
def open_form(open_browser, demo_clinic):
    """Return a function that opens an admin form as staff with `rights` and returns page and requested URLs."""
    for name in NAMES:
        find_or_register_patient(name=name, email=f"{name[-4:]}@example.com", phone="", now=timezone.now())

    def open_page(path, *rights):
        frank = User.objects.create_user("frank@clinic.example", SECRET, name="Frank Desk")
        frank.user_permissions.set(Permission.objects.filter(codename__in=rights))
        page, asked = open_browser(viewport=DESKTOP), []
        page.on("request", lambda request: asked.append(request.url))
        steps.log_in(page, path, email="frank@clinic.example", password=SECRET)
        return page, asked

    return open_page


def test_patient_is_chosen_for_the_wait_list_and_no_url_holds_the_name(open_form):
    page, asked = open_form(
        "/admin/booking/waitlistentry/add/", "add_waitlistentry", "view_waitlistentry", "view_patient"
    )
    page.locator("#id_patient + .select2").click()
    page.locator(".select2-search__field").press_sequentially("quill")
    options = page.locator(".select2-results__option")
    expect(options).to_have_text(["Zelda Quillfeather"])
    options.first.click()
    page.select_option("#id_service", label="Evaluation")
    page.fill("#id_first_on", "2030-01-01")
    page.fill("#id_last_on", "2030-02-01")
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_contain_text("added")
    assert WaitListEntry.objects.get().patient.name == "Zelda Quillfeather"
    assert any("/autocomplete/" in address for address in asked)
    assert [address for address in asked if "quill" in address.lower() or "term=" in address] == []


def test_search_finds_no_patient_without_the_permission_to_view_patients(open_form):
    page, _ = open_form("/admin/booking/waitlistentry/add/", "add_waitlistentry", "view_waitlistentry")
    page.locator("#id_patient + .select2").click()
    page.locator(".select2-search__field").press_sequentially("zelda")
    expect(page.locator(".select2-results__option")).to_have_text(["The results could not be loaded."])


def test_member_of_staff_is_chosen_for_a_therapist(open_form):
    page, asked = open_form("/admin/practice/therapist/add/", "add_therapist", "view_therapist", "view_user")
    page.fill("#id_name", "Frank Desk")
    page.locator("#id_user + .select2").click()
    page.locator(".select2-search__field").press_sequentially("frank")
    page.locator(".select2-results__option", has_text="Frank Desk").click()
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_contain_text("added")
    assert Therapist.objects.get(name="Frank Desk").user.email == "frank@clinic.example"
    assert [address for address in asked if "frank" in address.lower()] == []
