"""The canonical url. Files with the same canonical url are versions of one questionnaire. Pure.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.url
"""

LOCAL = "urn:runclinic:local:"
LONGEST = 400


def canonical_of(definition: dict, *, slug: str) -> str:
    """Return the canonical url of `definition` (FHIR JSON) without a version; one made from `slug` if it has none."""
    url = definition.get("url") or ""
    return url.partition("|")[0].strip() or LOCAL + slug
