"""Staff type and read dollars; the database stores integer cents."""

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError

from booking.admin.services import ServiceForm
from booking.models import Service
from clinic.practice.fields.money_field import MoneyField
from clinic.practice.models import User
from clinic.practice.values.money import MOST_CENTS, MoneyInvalid, TooMuchMoney, format_dollars, parse_money


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("165", 16500),
        ("165.00", 16500),
        (" $165 ", 16500),
        ("87.5", 8750),
        ("87.50", 8750),
        ("0", 0),
        ("0.01", 1),
        ("1,650", 165000),
        ("10,000", MOST_CENTS),
        ("0000000000165", 16500),
    ],
)
def test_dollars_become_cents_when_typed(typed, cents):
    assert parse_money(typed) == cents
    assert parse_money(format_dollars(cents)) == cents


@pytest.mark.parametrize(
    "typed", ["-1", "-0.50", "165.005", "165.", ".5", "1e3", "1,65", "16 500", "abc", "", "NaN", "१६५", "165 USD"]
)
def test_amount_is_refused_when_it_is_not_dollars_and_cents(typed):
    with pytest.raises(MoneyInvalid):
        parse_money(typed)


@pytest.mark.parametrize("typed", ["10000.01", "16500", "9" * 4000])
def test_amount_is_refused_when_it_is_too_large(typed):
    with pytest.raises(TooMuchMoney):
        parse_money(typed)


def test_money_field_shows_dollars_and_says_what_to_type_when_refused():
    field = MoneyField(required=False)
    assert (field.prepare_value(16500), field.prepare_value(8750), field.prepare_value("x")) == ("165", "87.50", "x")
    assert (field.clean(""), field.clean("0")) == (None, 0)
    assert not field.has_changed(16500, "165.00")
    assert field.has_changed(16500, "165.01")
    with pytest.raises(ValidationError, match="not cents"):
        field.clean("16500")
    with pytest.raises(ValidationError, match="two decimals"):
        field.clean("1.999")


def test_every_amount_of_a_service_is_typed_in_dollars():
    sums = {field.name for field in Service._meta.get_fields() if field.name.endswith("_cents")}
    assert sums == {"price_cents", "late_fee_cents"}
    assert all(isinstance(ServiceForm.base_fields[name], MoneyField) for name in sums)


@pytest.fixture
def service(db):
    return Service.objects.create(
        slug="evaluation", name="Evaluation", summary="A first visit.", minutes=60, price_cents=16500
    )


def test_service_keeps_cents_when_staff_type_dollars(client, service):
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
    address = f"/admin/booking/service/{service.pk}/change/"
    form = client.get(address).context["adminform"].form
    assert form["price_cents"].value() == "165"
    values = {name: form[name].value() for name in form.fields}
    typed = {name: value for name, value in values.items() if value is not None and value is not False}
    answer = client.post(address, typed | {"price_cents": "172.50", "late_fee_cents": "40"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    service.refresh_from_db()
    assert (service.price_cents, service.late_fee_cents) == (17250, 4000)
    refused = client.post(address, typed | {"price_cents": "16500"})
    assert refused.context["adminform"].form.has_error("price_cents", "too_much")


def test_service_shows_dollars_when_it_is_read_only(client, service):
    fay = User.objects.create_user("fay@clinic.example", name="Fay")
    fay.user_permissions.add(Permission.objects.get(codename="view_service"))
    client.force_login(fay)
    page = client.get(f"/admin/booking/service/{service.pk}/change/").content.decode()
    assert "$165" in page
    assert "16500" not in page
    assert "cents" not in page
