"""URLs of the extensions that we read or report, and functions to find items and extensions in raw JSON. Pure."""

from collections.abc import Iterator
from typing import Any

FHIR = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
WEIGHTS = (FHIR + "ordinalValue", FHIR + "itemWeight")  # the older name and the newer
MINIMUM, MAXIMUM = FHIR + "minValue", FHIR + "maxValue"
MAX_DECIMALS = FHIR + "maxDecimalPlaces"
MIN_OCCURS = FHIR + "questionnaire-minOccurs"
MAX_OCCURS = FHIR + "questionnaire-maxOccurs"
EXCLUSIVE = FHIR + "questionnaire-optionExclusive"
HIDDEN = FHIR + "questionnaire-hidden"
PATTERN = FHIR + "regex"
CALCULATED_VALUE = (FHIR + "cqf-calculatedValue", FHIR + "cqf-expression")  # the newer name and the older
UNIT = FHIR + "questionnaire-unit"
VARIABLE = FHIR + "variable"
SHORT = SDC + "sdc-questionnaire-shortText"
CALCULATED = SDC + "sdc-questionnaire-calculatedExpression"
ENABLE_WHEN = SDC + "sdc-questionnaire-enableWhenExpression"
NOT_EVALUATED = {
    SDC + name: name.removeprefix("sdc-questionnaire-")
    for name in (
        "sdc-questionnaire-initialExpression",
        "sdc-questionnaire-answerExpression",
        "sdc-questionnaire-candidateExpression",
        "sdc-questionnaire-contextExpression",
        "sdc-questionnaire-answerOptionsToggleExpression",
    )
} | {FHIR + "cqf-expression": "cqf-expression", FHIR + "questionnaire-constraint": "constraint"}
WHY, HINT, LAYOUT, SCALE_ENDS, SCORE = (
    f"urn:runclinic:{name}" for name in ("why-we-ask", "hint", "layout", "scale-ends", "score")
)


def walk_items(raw: dict) -> Iterator[dict]:
    """Yield every item below `raw`, a Questionnaire or an item, in document order."""
    for item in raw.get("item", []):
        yield item
        yield from walk_items(item)


def find_extensions(raw: dict, *urls: str) -> list[dict]:
    """Return the extensions of `raw` with one of these urls."""
    return [extension for extension in raw.get("extension", []) if extension.get("url") in urls]


def extension_value(raw: dict, *urls: str) -> Any:
    """Return the value, of any type, of the first extension with one of these urls; None if there is none."""
    for extension in find_extensions(raw, *urls):
        return next((value for key, value in extension.items() if key.startswith("value")), None)
    return None


def max_occurs(raw: dict) -> int | None:
    """Return the maximum number of copies of a group, or of answers to a question; None if the file sets none."""
    return extension_value(raw, MAX_OCCURS)


def typed_value(raw: dict, prefix: str = "value") -> tuple[str, Any] | None:
    """Return the type and value of the one `prefix`[x] in `raw`: ("Coding", {...}). None if not exactly one."""
    found = [(key.removeprefix(prefix), value) for key, value in raw.items() if key.startswith(prefix)]
    return found[0] if len(found) == 1 else None
