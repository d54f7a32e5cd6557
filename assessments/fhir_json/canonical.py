"""What makes two files versions of one questionnaire: the same canonical url, the whole of it. Pure.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.url
"""

LOCAL = "urn:runclinic:local:"
LONGEST = 400


def canonical_of(definition: dict, *, slug: str) -> str:
    """The canonical url of `definition` (FHIR JSON) without a version. A file without one is known by its `slug` here."""
    url = definition.get("url") or ""
    return url.partition("|")[0].strip() or LOCAL + slug
