"""Optimistic locking of admin forms. The first save that would undo another's change is rejected, and shows the change.

Articles have their own check (education/forms/articles.py), which compares texts line by line.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import model_to_dict
from django.forms.widgets import MultiWidget
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from clinic.practice.fields.sent_data import replace_sent

SEEN = "seen"


class RefusesStaleSaves(admin.ModelAdmin):
    """Base of admins whose change form has a digest of each shown value and checks the digests on save.

    List this base first, since it adds a hidden field to the first fieldset. Does not cover inlines.
    """

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        if self._guards(request, obj):
            base = kwargs.get("form", self.form)
            kwargs["form"] = type(base.__name__, (StaleCheck, base), {SEEN: SeenField()})
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if not self._guards(request, obj):
            return fieldsets
        (title, options), *others = fieldsets
        shown = [name for name in options["fields"] if name != SEEN]
        return [(title, {**options, "fields": [*shown, SEEN]}), *others]

    def _guards(self, request: HttpRequest, obj: Model | None) -> bool:
        return obj is not None and self.has_change_permission(request, obj)


class SeenField(forms.CharField):
    """Hidden field for the digests. Never counts as a change."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def has_changed(self, initial: object, data: object) -> bool:
        return False


class StaleCheck(forms.ModelForm):
    """Mixin for a ModelForm of an existing row. Cleaning locks the row, and adds an error if the form is stale.

    The lock is held until the end of the transaction that the admin opens.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial[SEEN] = self._digests(self.instance)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        rows = type(self.instance)._base_manager.select_for_update(of=("self",), no_key=True)
        current = rows.filter(pk=self.instance.pk).first()
        if current is not None and (changed := self._changed_meanwhile(current)):
            replace_sent(self, SEEN, self._digests(current))  # so that a second save overwrites the changes
            self.add_error(None, ValidationError(self._compare(changed), code="stale"))
        return cleaned

    def _changed_meanwhile(self, current: Model) -> dict[str, object]:
        """Return stored values that changed since the form was opened and differ from the form."""
        try:
            seen = dict(json.loads(self[SEEN].data or "{}"))
        except (ValueError, TypeError, RecursionError):
            seen = {}
        return {
            name: value
            for name, value in self._values(current).items()
            if name in seen and seen[name] != _digest(value) and self.fields[name].has_changed(value, self[name].data)
        }

    def _values(self, row: Model) -> dict[str, object]:
        return model_to_dict(row, fields=[name for name in self.fields if name != SEEN])

    def _digests(self, row: Model) -> str:
        return json.dumps({name: _digest(value) for name, value in self._values(row).items()})

    def _compare(self, changed: dict[str, object]) -> str:
        rows = (
            (self.fields[name].label or name, self._shown(name, value), self._typed(name))
            for name, value in changed.items()
        )
        cells = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>", rows)
        return format_html(
            "Not saved: someone else saved this page while you had it open. Copy what you want to keep of their changes into "
            "the form, then save again. The form replaces what is saved.<table><thead><tr><th scope='col'>Field</th>"
            "<th scope='col'>Saved now</th><th scope='col'>In your form</th></tr></thead><tbody>{}</tbody></table>",
            cells,
        )

    def _typed(self, name: str) -> str:
        """Return the value as cleaned, else as typed."""
        return self._shown(name, self.cleaned_data[name]) if name in self.cleaned_data else str(self[name].data)

    def _shown(self, name: str, value: Any) -> str:
        """Return `value` as the form's field would show it. A choice is shown by its label."""
        field = self.fields[name]
        values = list(value) if isinstance(value, list | tuple) or hasattr(value, "iterator") else [value]
        keys = [str(field.prepare_value(one)) for one in values]
        if isinstance(field, forms.BooleanField):
            return "yes" if value else "no"
        if isinstance(field, forms.ModelChoiceField):
            assert field.queryset is not None  # a bound form has one
            rows = field.queryset.filter(pk__in=[key for key in keys if key not in ("None", "")]) if value else []
            return ", ".join(map(str, rows)) or "–"
        if isinstance(field, forms.ChoiceField):
            names = dict(_flat(field.widget.choices))
            return ", ".join(str(names.get(key, key)) for key in keys) or "–"
        if isinstance(field.widget, MultiWidget):
            parts = field.widget.decompress(field.prepare_value(value)) or ()
            return " ".join(str(part) for part in parts if part is not None) or "–"
        return str(field.widget.format_value(field.prepare_value(value)) or "–")


def _digest(value: object) -> str:
    """Return a digest of a value of `model_to_dict`. For a many-to-many field it ignores the order of the keys."""
    if isinstance(value, list):
        value = sorted(str(getattr(one, "pk", one)) for one in value)
    return hashlib.sha256(str(value).encode()).hexdigest()[:16]


def _flat(choices: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from _flat(label)
        else:
            yield str(key), label
