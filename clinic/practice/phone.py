"""Telephone numbers as people type them, and E.164 as we keep them."""

import re

import phonenumbers

E164_PATTERN = r"^\+[1-9][0-9]{6,14}$"
E164 = re.compile(E164_PATTERN)


class PhoneInvalid(ValueError):
    """The text is not a telephone number that can be dialled. Carries no digits of it."""


def parse_phone(text: str, region: str = "US") -> str:
    """`text` in E.164 ("+16035550123"). `region` is the country of a number written without one.

    Raises PhoneInvalid for anything that no telephone can ring, numbers with an extension included: a message
    cannot reach those.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise PhoneInvalid("not a telephone number") from None
    # "Possible", not "valid": lists of valid numbers are older than the newest area code.
    is_possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    if number.extension or not is_possible:
        raise PhoneInvalid("not a telephone number that can be reached")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not E164.match(e164):
        raise PhoneInvalid("not a telephone number that can be reached")
    return e164


def format_phone(e164: str, region: str = "US") -> str:
    """How people of `region` write it: "(603) 555-0123", "+44 20 7946 0018"; unparsable text comes back as it is."""
    try:
        number = phonenumbers.parse(e164, region)
    except phonenumbers.NumberParseException:
        return e164
    is_national = phonenumbers.region_code_for_country_code(number.country_code) == region
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, style.NATIONAL if is_national else style.INTERNATIONAL)
