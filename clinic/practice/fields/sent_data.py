"""Change the data of a bound form."""

from typing import cast

from django.forms import BaseForm
from django.http import QueryDict


def replace_sent(form: BaseForm, name: str, value: str) -> None:
    """Replace the submitted value of the field `name` in the bound `form` by `value`."""
    form.data = cast(QueryDict, form.data).copy()
    form.data[form.add_prefix(name)] = value
