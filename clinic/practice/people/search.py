"""Find people by search text: parts of a name in any order, an address, a phone number or a birth date in any spelling."""

import re
from contextlib import suppress

from django.contrib import admin
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.http import HttpRequest

from clinic.practice.models import NameKey
from clinic.practice.values.mail_addresses import normalize_address
from clinic.practice.values.phone import PhoneInvalid, parse_phone
from clinic.practice.values.typed_days import split_days

MOST_TERMS = 8  # limits numbers, days and words separately; each term adds a condition to the query
# Hyphens and dashes that phones and text processors put into numbers, all read as "-"; "tel:" of a copied link.
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_TEL = re.compile(r"(?<!\S)tel:\s*", re.IGNORECASE)
# Digits with separators, and an optional extension: "(603) 555-0199 x12".
_NUMBER = re.compile(r"(?<!\S)[+(]*\d[\d\s().\-/]*\d\)?(?:\s*(?:;?ext[.=]?|x|#)\s*\d+)?(?!\S)", re.IGNORECASE)


class FindsPeople(admin.ModelAdmin):
    """Base of admins that are searched for people.

    `people` is the lookup from a row to its patient ("patient__"). `phones` are additional phone columns, `names`
    additional text columns. `finds_births` finds by date of birth too, for pages that show it. Set `search_fields` as
    well, since Django shows no search box without them.
    """

    people = "patient__"
    phones: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    finds_births = False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        found = filter_people(
            queryset,
            search_term,
            people=self.people,
            phones=self.phones,
            names=self.names,
            finds_births=self.finds_births,
        )
        return found, False


def filter_people(
    queryset: QuerySet,
    text: str,
    *,
    people: str = "",
    phones: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    finds_births: bool = False,
) -> QuerySet:
    """Return the rows of `queryset` that match every term of `text`, up to MOST_TERMS numbers and as many words.

    With `finds_births`, a date matches the patient's date of birth, for readers who may see it.
    """
    text = _TEL.sub("", text.translate(_DASHES))
    days, text = split_days(text) if finds_births else ([], text)
    for day in days[:MOST_TERMS]:
        queryset = queryset.filter(**{f"{people}birth_on__in": day})
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
    """Return (phone numbers in `text`, other words). A number is the list of digit strings it may be stored as."""
    text = text.replace(",", " , ")  # a comma ends a number
    numbers = [_spellings(found[0]) for found in _NUMBER.finditer(text)]
    return numbers, [word for part in _NUMBER.split(text) for word in part.split() if word != ","]


def _spellings(number: str) -> list[str]:
    """Return the distinct, nonempty spellings of `number`.

    They are: the digits as typed; the digits without leading zeros (trunk or international prefix); and, if `number`
    starts with "+" and is a valid phone number, the digits as parsed.
    """
    digits = "".join(str(int(one)) for one in number if one.isdecimal())
    spellings = [digits, digits.lstrip("0")]
    if number.startswith("+"):
        with suppress(PhoneInvalid):  # only part of a number
            spellings.append("".join(filter(str.isdigit, parse_phone(number))))
    return [one for one in dict.fromkeys(spellings) if one]


def _any_of(conditions: list[Q]) -> Q:
    together = Q()
    for condition in conditions:
        together |= condition
    return together
