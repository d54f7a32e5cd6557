"""Searches by staff. The text is posted, to keep patients' names out of URLs, browser history and proxy logs."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django.contrib.admin.options import BaseModelAdmin, IncorrectLookupParameters
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import ForeignKey
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse

SEARCHED_VAR = "searched"  # in a list's query string: the key of a search in the session
LONGEST_SEARCH = 200


def clean_search(text: str) -> str:
    """Return the first LONGEST_SEARCH characters of `text` on one line, without control characters and lone surrogates.

    Postgres rejects NUL, and a lone surrogate cannot be encoded as UTF-8.
    """
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text[:LONGEST_SEARCH])
    return " ".join(kept.split())


class SteadyChangeList(ChangeList):
    """A change list that treats an out-of-range date as an invalid filter. Django's crashes on the year 9999."""

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            return super().get_filters(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error


class PostedAutocomplete(AutocompleteJsonView):
    """Django's autocomplete, by POST only (static/admin/js/autocomplete.js). Responds 405 to GET.

    Django's view checks the permission to view the searched rows. Raises PermissionDenied for a reverse relation.
    """

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.POST.copy()
        asked["term"] = clean_search(asked.get("term", ""))
        request.GET = asked  # type: ignore[assignment]  # Django's view reads the query from there
        return self.get(request, *args, **kwargs)

    def process_request(self, request: HttpRequest) -> Any:
        found = super().process_request(request)
        if not hasattr(found[2], "get_limit_choices_to"):  # a reverse relation, which no form has
            raise PermissionDenied
        return found


class RowPicker(AutocompleteSelect):
    """Django's autocomplete widget, but a redisplayed form omits submitted values that cannot be an ID.

    Django's queries for any value, which raises ValidationError for a malformed UUID.
    """

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [one for one in value if self._is_id(one)], attrs)

    def _is_id(self, value: str) -> bool:
        try:
            self.field.remote_field.model._meta.pk.to_python(value)
        except ValidationError:
            return False
        return True


class PicksRows(BaseModelAdmin):
    """Mixin for a ModelAdmin with autocomplete_fields. The foreign keys among these fields use RowPicker."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = RowPicker(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
