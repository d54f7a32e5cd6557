"""Search words of staff: posted, so that a patient's name is never in an address, a browser's history or a proxy's log."""

import unicodedata

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied

SEARCHED_VAR = "searched"  # in a list's address: which of the session's searches it shows
LONGEST_WORDS = 200


def clean_words(text: str) -> str:
    """`text` on one line, without what no name holds and Postgres refuses: control characters and lone surrogates."""
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text[:LONGEST_WORDS])
    return " ".join(kept.split())


class PostedAutocomplete(AutocompleteJsonView):
    """Django's autocomplete, asked by POST only (static/admin/js/autocomplete.js). GET is refused with 405.

    The right to view the rows that are searched is checked by Django's view.
    """

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        asked = request.POST.copy()
        asked["term"] = clean_words(asked.get("term", ""))
        request.GET = asked  # Django's view and its pages read the question there
        return self.get(request, *args, **kwargs)

    def process_request(self, request):
        found = super().process_request(request)
        if not hasattr(found[2], "get_limit_choices_to"):  # a relation seen from its other end: no form has it
            raise PermissionDenied
        return found
