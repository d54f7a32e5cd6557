"""What a bound form was sent."""

from typing import cast

from django.forms import BaseForm
from django.http import QueryDict


def replace_sent(form: BaseForm, name: str, value: str) -> None:
    """Let the bound `form` show `value` in the field `name` when it is rendered again, whatever was sent there."""
    form.data = cast(QueryDict, form.data).copy()
    form.data[form.add_prefix(name)] = value
