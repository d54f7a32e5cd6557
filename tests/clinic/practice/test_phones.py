"""Phone numbers: which are accepted, and how they are stored, shown, dialed and texted."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms import modelform_factory
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from clinic.outbox.texts.inbound import patients_with
from clinic.outbox.texts.texting import give_consent
from clinic.practice.fields.form_fields import ClinicForm, PhoneField
from clinic.practice.models import Clinic, Patient
from clinic.practice.values.phone import (
    PhoneHasLetters,
    PhoneInvalid,
    base_number,
    format_phone,
    parse_phone,
    texting_number,
)
from tests.factories import ClinicFactory, PatientFactory
from tests.world import NOON

TAKEN = [
    ("603 555 0123", "US", "+16035550123"),
    ("(603) 555-0123", "US", "+16035550123"),
    ("603.555.0123", "US", "+16035550123"),
    ("1-603-555-0199", "US", "+16035550199"),
    ("+1 603 555 0199", "GB", "+16035550199"),
    ("tel:+1-603-555-0123", "US", "+16035550123"),
    ("６０３５５５０１２３", "US", "+16035550123"),
    ("603 555 0123 x12", "US", "+16035550123;ext=12"),
    ("603-555-0123 ext. 12", "US", "+16035550123;ext=12"),
    ("(603) 555-0123 extension 4567", "US", "+16035550123;ext=4567"),
    ("603 555 0123 #7", "US", "+16035550123;ext=7"),
    ("603 555 0123 ｘ１２", "US", "+16035550123;ext=12"),
    ("tel:+1-603-555-0123;ext=12", "US", "+16035550123;ext=12"),
    ("+16035550123;ext=12", "US", "+16035550123;ext=12"),
    ("800 555 0100", "US", "+18005550100"),
    ("212 736 5000", "US", "+12127365000"),
    ("235 555 0123", "US", "+12355550123"),  # a new area code that is in no list yet
    ("416 555 0123", "CA", "+14165550123"),
    ("020 7946 0018", "GB", "+442079460018"),
    ("+44 (0)20 7946 0018", "US", "+442079460018"),
    ("030 901820", "DE", "+4930901820"),
    ("06 12345678", "NL", "+31612345678"),
    ("02 9374 4000", "AU", "+61293744000"),
    ("06 698 12345", "IT", "+390669812345"),  # an Italian number keeps its leading zero
]
REFUSED = [
    ("", "US"),
    ("call me", "US"),
    ("12", "US"),
    ("911", "US"),
    ("555-0123", "US"),
    ("000-000-0000", "US"),
    ("1111111111", "US"),
    ("2222222222", "US"),
    ("9999999999", "US"),
    ("003-555-0199", "US"),
    ("103-555-0199", "US"),
    ("603-055-0199", "US"),
    ("603-155-0199", "US"),
    ("603-911-0199", "US"),
    ("603-411-0199", "US"),
    ("911-555-0199", "US"),
    ("694-555-0199", "US"),
    ("222-555-0199", "US"),
    ("603 555 01234", "US"),
    ("603 555 012", "US"),
    ("9" * 40, "US"),
    ("+999 123456789", "US"),
    ("+44 1", "US"),
    ("+44 20 7946", "US"),
    ("020 7946 0018", "US"),
    ("603 555 0123", "GB"),
    ("+49 000 000000", "US"),
    ("603 555 0123 x" + "1" * 12, "US"),
    ("603 555 0123", "ZZ"),
]


@pytest.mark.parametrize(("text", "region", "kept"), TAKEN)
def test_phone_is_stored_as_it_is_dialed(text, region, kept):
    assert parse_phone(text, region) == kept
    assert parse_phone(format_phone(kept, region), region) == kept, "what is shown is read again"


@pytest.mark.parametrize(("text", "region"), REFUSED)
def test_phone_is_refused_when_it_cannot_exist(text, region):
    with pytest.raises(PhoneInvalid) as refusal:
        parse_phone(text, region)
    assert not any(one.isdigit() for one in str(refusal.value))


@pytest.mark.parametrize("text", ["1-800-FLOWERS", "603 555 CALL", "1-800-flowers ext. 12", "+1 800 FLOWERS"])
def test_phone_with_letters_is_refused_with_a_request_for_digits(text):
    with pytest.raises(PhoneHasLetters):
        parse_phone(text)
    with pytest.raises(ValidationError) as refusal:
        PhoneField().clean(text)
    assert refusal.value.error_list[0].code == "letters"


@pytest.mark.parametrize(
    ("phone", "region", "written"),
    [
        ("+16035550123", "US", "(603) 555-0123"),
        ("+16035550123;ext=12", "US", "(603) 555-0123 ext. 12"),
        ("+16035550123", "CA", "(603) 555-0123"),
        ("+16035550123", "GB", "+1 603-555-0123"),
        ("+16035550123;ext=12", "GB", "+1 603-555-0123 ext. 12"),
        ("+442079460018", "GB", "020 7946 0018"),
        ("+442079460018", "US", "+44 20 7946 0018"),
        ("+4930901820", "DE", "030 901820"),
        ("", "US", ""),
        ("soon", "US", "soon"),
    ],
)
def test_phone_is_formatted_for_the_readers_country(phone, region, written):
    assert format_phone(phone, region) == written


def test_phone_with_an_extension_is_dialed_and_never_texted():
    assert base_number("+16035550123;ext=12") == base_number("+16035550123") == "+16035550123"
    assert texting_number("+16035550123;ext=12") == texting_number("") == ""
    assert texting_number("+16035550123") == "+16035550123"


def test_field_accepts_no_number_when_optional_and_requires_the_area_code():
    assert PhoneField(required=False).clean("") == ""
    with pytest.raises(ValidationError) as refusal:
        PhoneField().clean("555 0123")
    assert refusal.value.error_list[0].code == "invalid"


@given(st.text(max_size=45), st.sampled_from(["US", "GB", "DE", "ZZ"]))
def test_any_text_is_a_phone_or_an_error(text, region):
    try:
        phone = PhoneField(region=region, required=False).clean(text)
    except ValidationError:
        return
    assert phone == "" or PhoneField(region=region).clean(format_phone(phone, region)) == phone


def test_field_shows_a_formatted_number_and_reports_no_change_for_another_spelling():
    field = PhoneField(region="US")
    assert field.prepare_value("+16035550123;ext=12") == "(603) 555-0123 ext. 12"
    assert not field.has_changed("+16035550123", "603.555.0123")
    assert field.has_changed("+16035550123", "603.555.0123 x1")
    with pytest.raises(ValidationError, match="in another country"):
        PhoneField(region="GB").clean("1")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ p|phone_link:clinic }}", '<a href="tel:+442079460018;ext=12">020 7946 0018 ext. 12</a>'),
        ("{{ p|phone_text:clinic }}", "020 7946 0018 ext. 12"),
        ("{{ p|phone_text }}", "+44 20 7946 0018 ext. 12"),
    ],
)
def test_pages_format_phones_for_the_clinics_country(source, text):
    context = Context({"p": "+442079460018;ext=12", "clinic": ClinicFactory.build(country="GB")})
    assert Template("{% load practice_tags %}" + source).render(context) == text


@pytest.mark.django_db
def test_clinic_form_reads_its_number_by_its_country_and_refuses_an_unknown_country():
    form_class = modelform_factory(Clinic, ClinicForm, fields=["name", "email", "country", "phone", "time_zone"])
    data = {"name": "Lakes", "email": "", "time_zone": "Europe/London", "country": "gb", "phone": "020 7946 0018"}
    data["zone_confirmed"] = data["time_zone"]
    form = form_class(data, instance=Clinic())
    assert form.is_valid(), form.errors.as_json()
    assert (form.cleaned_data["country"], form.cleaned_data["phone"]) == ("GB", "+442079460018")
    assert "two letters" in str(form_class(data | {"country": "ZZ"}, instance=Clinic()).errors["country"])


@pytest.mark.django_db
def test_database_accepts_an_extension_and_refuses_an_invalid_number():
    patient = PatientFactory(phone="+16035550123;ext=12")
    assert Patient.objects.get(phone__startswith="+1603") == patient
    with pytest.raises(IntegrityError, match="patient_phone_is_e164"), transaction.atomic():
        PatientFactory(phone="+16035550123;ext=x")


@pytest.mark.django_db
def test_text_from_a_main_number_names_its_patients_who_cannot_consent_to_texts():
    patient = PatientFactory(phone="+16035550123;ext=12")
    assert patients_with(["+16035550123"]) == {"+16035550123": [patient]}
    with pytest.raises(ValueError, match="no text"):
        give_consent(patient=patient, wording="yes", instead_of_email=False, now=NOON)
