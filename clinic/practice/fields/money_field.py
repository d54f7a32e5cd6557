"""The form field for money: typed and shown in dollars, stored in integer cents."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clinic.practice.values.money import (
    MOST_CENTS,
    MoneyInvalid,
    TooMuchMoney,
    format_dollars,
    format_money,
    parse_money,
)


class MoneyField(forms.CharField):
    """An amount typed in dollars ("165", "165.50"); cleans to integer cents, or None for an empty optional field."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "money", "autocomplete": "off"})
    default_error_messages = {
        "invalid": "Enter dollars, like 165 or 87.50: no minus sign, and at most two decimals.",
        "too_much": f"Enter {format_money(MOST_CENTS)} or less. Amounts are in dollars, not cents.",
    }

    def __init__(self, *, max_length: int = 20, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def prepare_value(self, value: object) -> object:
        return format_dollars(value) if isinstance(value, int) else value

    def to_python(self, value: object) -> int | None:  # type: ignore[override]  # a text field that cleans to cents
        text = super().to_python(value)
        if text is None or text in self.empty_values:
            return None
        try:
            return parse_money(text)
        except TooMuchMoney:
            raise ValidationError(self.error_messages["too_much"], code="too_much") from None
        except MoneyInvalid:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def run_validators(self, value: object) -> None:
        """Skip the validators of length and characters, which do not apply to a number."""

    def has_changed(self, initial: object, data: object) -> bool:
        try:
            return self.to_python(data) != initial
        except ValidationError:
            return True
