"""Parse and format phone numbers. They are stored as E.164, with any extension as in RFC 3966.

Examples are "+16035550123" and "+16035550123;ext=12". Both are valid after "tel:".
"""

import re

import phonenumbers

PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}(;ext=[0-9]{1,10})?$"
LONGEST_PHONE = 32
REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)  # ISO 3166 codes of the countries whose numbers can be parsed
_PHONE = re.compile(PHONE_PATTERN)
_EXT = ";ext="
_NORTH_AMERICA = 1
# Area code, exchange, line. No area code begins with 0 or 1, has a 9 in the middle (reserved for longer numbers) or
# ends in two equal digits (reserved for services). No exchange is a service such as 911. This rule supplements the
# library's list of area codes, which lacks the newest ones. Fictional numbers (555-0100 to 0199) pass both.
_NORTH_AMERICAN = re.compile(r"[2-9](?!9)(\d)(?!\1)\d(?!.11)[2-9]\d{6}")
_EXCHANGE_IS_A_SERVICE = re.compile(r"\d{3}[2-9]11")


class PhoneInvalid(ValueError):
    """The text is not a phone number that can be dialed. The message does not repeat its digits."""


class PhoneHasLetters(PhoneInvalid):
    """The number has letters for digits, as in "1-800-FLOWERS". They may be typos, so it must be typed in digits."""


def parse_phone(text: str, region: str = "US") -> str:
    """Return `text` in the stored form. `region` is the country of a number without a country code (ISO 3166, "US").

    Raises PhoneHasLetters for a number spelled in letters, PhoneInvalid for a number that cannot be dialed: too short
    or too long, or in an unused range.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise PhoneInvalid("not a telephone number") from None
    if not _is_in_use(number):
        raise PhoneInvalid("not a telephone number that can be reached")
    if phonenumbers.national_significant_number(number) not in phonenumbers.normalize_digits_only(text):
        raise PhoneHasLetters("letters in a telephone number")
    extension = phonenumbers.normalize_digits_only(number.extension or "")
    number.extension = None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    phone = f"{e164}{_EXT}{extension}" if extension else e164
    if not _PHONE.match(phone):
        raise PhoneInvalid("not a telephone number that can be reached")
    return phone


def _is_in_use(number: phonenumbers.PhoneNumber) -> bool:
    if number.country_code != _NORTH_AMERICA:
        return phonenumbers.is_valid_number(number)
    digits = phonenumbers.national_significant_number(number)
    is_listed = phonenumbers.is_valid_number(number) and not _EXCHANGE_IS_A_SERVICE.match(digits)
    return is_listed or _NORTH_AMERICAN.fullmatch(digits) is not None


def base_number(phone: str) -> str:
    """Return `phone` without its extension: E.164."""
    return phone.partition(_EXT)[0]


def texting_number(phone: str) -> str:
    """Return the number for texts to `phone`, in E.164; empty if there is none.

    A number with an extension is a switchboard, which cannot receive texts.
    """
    return "" if _EXT in phone else phone


def format_phone(phone: str, region: str = "US") -> str:
    """Return `phone` as people in `region` write it: "(603) 555-0123 ext. 12" or "+44 20 7946 0018".

    Text that cannot be parsed is returned unchanged.
    """
    base, _, extension = phone.partition(_EXT)
    try:
        number = phonenumbers.parse(base, region)
    except phonenumbers.NumberParseException:
        return phone
    is_national = number.country_code == phonenumbers.country_code_for_region(region)
    style = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(number, style.NATIONAL if is_national else style.INTERNATIONAL)
    return f"{written} ext. {extension}" if extension else written
