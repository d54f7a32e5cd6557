"""What search engines read: an article as schema.org JSON-LD."""

import json

from django.utils.safestring import SafeString, mark_safe

from clinic.practice.models import Clinic, Therapist

from .models import Article


def describe_article(article: Article, *, clinic: Clinic, url: str) -> SafeString:
    """`article` at `url` as a MedicalWebPage; JSON that may stand inside a script element.

    Says who reviewed it and when only where somebody has.
    """
    data = {
        "@context": "https://schema.org",
        "@type": "MedicalWebPage",
        "@id": url,
        "url": url,
        "name": article.title,
        "headline": article.title,
        "description": article.summary,
        "inLanguage": "en-US",
        "dateModified": article.updated_at.isoformat(),
        "specialty": "https://schema.org/Physiotherapy",
        "audience": {"@type": "PeopleAudience", "audienceType": article.who_for or "Runners"},
        "publisher": {
            "@type": "MedicalBusiness",
            "name": clinic.name,
            "medicalSpecialty": "https://schema.org/Physiotherapy",
        },
        "citation": [reference["text"] for reference in article.references],
    }
    if article.published_at:
        data["datePublished"] = article.published_at.isoformat()
    if article.author:
        data["author"] = describe_person(article.author)
    if article.reviewed_by:
        data |= {"reviewedBy": describe_person(article.reviewed_by), "lastReviewed": article.reviewed_on.isoformat()}
    return embed_json(data)


def describe_person(therapist: Therapist) -> dict:
    """A therapist as a schema.org Person."""
    person = {"@type": "Person", "name": therapist.name}
    return {**person, "honorificSuffix": therapist.credentials} if therapist.credentials else person


def embed_json(data: dict) -> SafeString:
    """JSON that cannot end the script element it stands in, whatever an author typed."""
    # The three characters that could end it or open a comment are escaped, as django.utils.html.json_script does.
    return mark_safe(json.dumps(data, ensure_ascii=False).translate({ord(c): f"\\u{ord(c):04X}" for c in "<>&"}))  # noqa: S308
