"""Find people by search text: parts of a name in any order, an address, a phone number in any spelling."""

import re
from contextlib import suppress

from django.contrib import admin
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest

from clinic.practice.models import NameKey
from clinic.practice.values.mail_addresses import normalize_address
from clinic.practice.values.phone import PhoneInvalid, parse_phone

MOST_TERMS = 8  # each is a condition
# Digits with what people write between them, and perhaps an extension: "(603) 555-0199 x12".
_NUMBER = re.compile(r"(?<!\S)[+(]*\d[\d\s().\-/]*\d\)?(?:\s*(?:;?ext[.=]?|x|#)\s*\d+)?(?!\S)", re.IGNORECASE)


class FindsPeople(admin.ModelAdmin):
    """Base of admins that are searched for people. `people` is the lookup from a row to its patient ("patient__"), `phones`
    are more phone columns, `names` more text columns. Set `search_fields` too: without them Django shows no search field."""

    people = "patient__"
    phones: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        found = filter_people(queryset, search_term, people=self.people, phones=self.phones, names=self.names)
        return found, False


def filter_people(
    queryset: QuerySet, text: str, *, people: str = "", phones: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> QuerySet:
    """Return the rows of `queryset` whose patient matches every term of `text`."""
    numbers, rest = split_search(text)
    for digits in numbers[:MOST_TERMS]:
        spellings = [
            Q(**{f"{column}__contains": one}) for column in (f"{people}search_text", *phones) for one in digits
        ]
        queryset = queryset.filter(_any_of(spellings))
    for word in rest[:MOST_TERMS]:
        fits = [Q(**{f"{people}search_text__contains": NameKey(Value(word))})]
        fits += [Q(**{f"{people}search_text__contains": Lower(Value(normalize_address(word)))})]
        fits += [Q(**{f"{column}__icontains": word}) for column in names]
        queryset = queryset.filter(_any_of(fits))
    return queryset


def split_search(text: str) -> tuple[list[list[str]], list[str]]:
    """Return the phone numbers in `text`, each as the digit strings it may be stored as, and the other words."""
    numbers = [_spellings(found[0]) for found in _NUMBER.finditer(text)]
    return numbers, [word for part in _NUMBER.split(text) for word in part.replace(",", " ").split()]


def _spellings(number: str) -> list[str]:
    """Return the digits as typed, without trunk or international zeros, and as parsed."""
    digits = "".join(str(int(one)) for one in number if one.isdecimal())
    spellings = [digits, digits.lstrip("0")]
    if number.startswith("+"):
        with suppress(PhoneInvalid):  # part of one
            spellings.append("".join(filter(str.isdigit, parse_phone(number))))
    return [one for one in dict.fromkeys(spellings) if one]


def _any_of(conditions: list[Q]) -> Q:
    together = Q()
    for condition in conditions:
        together |= condition
    return together
