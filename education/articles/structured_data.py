"""Articles and the clinic as schema.org JSON-LD, for search engines."""

import json
from collections.abc import Sequence
from datetime import time
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from clinic.practice.models import Clinic, Therapist
from education.articles.library import locate_reference
from education.models import Article

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def describe_article(
    article: Article, *, clinic: Clinic, url: str, trail: Sequence[tuple[str, str]] = ()
) -> SafeString:
    """Return `article` at `url` as a MedicalWebPage, and its `trail` of (name, URL) as a BreadcrumbList.

    The JSON is safe inside a script element. `reviewedBy` is set only for a reviewed article.
    """
    data: dict[str, Any] = {
        "@type": "MedicalWebPage",
        "@id": url,
        "url": url,
        "name": article.title,
        "headline": article.title,
        "description": article.summary,
        "inLanguage": "en-US",
        "dateModified": article.updated_at.isoformat(),
        "specialty": "https://schema.org/Physiotherapy",
        "audience": {"@type": "Audience", "audienceType": article.who_for or "Runners"},
        "publisher": {"@type": "Organization", "name": clinic.name},
        "citation": [url for reference in article.references if (url := locate_reference(reference)[0])],
    }
    if article.published_at:
        data["datePublished"] = article.published_at.isoformat()
    if article.author:
        data["author"] = describe_person(article.author)
    if article.reviewed_by and article.reviewed_on:
        data |= {"reviewedBy": describe_person(article.reviewed_by), "lastReviewed": article.reviewed_on.isoformat()}
    return embed_json({"@context": "https://schema.org", "@graph": [data, describe_trail(trail)] if trail else [data]})


def describe_trail(trail: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a trail of (name, URL) as a schema.org BreadcrumbList."""
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": url}
        for position, (name, url) in enumerate(trail, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def describe_clinic(
    clinic: Clinic, *, url: str, image: str, opening: Sequence[tuple[int, time, time]] = ()
) -> SafeString:
    """Return `clinic` as a schema.org Physiotherapy business. The JSON is safe inside a script element.

    `opening` contains (weekday, opens, closes). Monday is 0, and times are local.
    """
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Physiotherapy",
        "@id": f"{url}#clinic",
        "url": url,
        "name": clinic.name,
        "image": image,
        "address": {
            "@type": "PostalAddress",
            "streetAddress": clinic.street,
            "addressLocality": clinic.city,
            "addressRegion": clinic.region,
            "postalCode": clinic.postal_code,
            "addressCountry": clinic.country,
        },
    }
    if clinic.phone:
        data["telephone"] = clinic.phone
    if clinic.latitude is not None and clinic.longitude is not None:
        place = {"latitude": float(clinic.latitude), "longitude": float(clinic.longitude)}
        data["geo"] = {"@type": "GeoCoordinates", **place}
    data["openingHoursSpecification"] = [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"https://schema.org/{DAYS[weekday]}",
            "opens": f"{opens:%H:%M}",
            "closes": "23:59" if closes == time.min else f"{closes:%H:%M}",  # midnight: 00:00 would mean closed all day
        }
        for weekday, opens, closes in opening
    ]
    return embed_json({name: value for name, value in data.items() if value})


def describe_person(therapist: Therapist) -> dict[str, str]:
    """Return a therapist as a schema.org Person."""
    person = {"@type": "Person", "name": therapist.name}
    return {**person, "honorificSuffix": therapist.credentials} if therapist.credentials else person


def embed_json(data: dict[str, Any]) -> SafeString:
    """Return `data` as JSON that cannot end the script element around it."""
    # Escapes <, > and &, as django.utils.html.json_script does.
    return mark_safe(json.dumps(data, ensure_ascii=False).translate({ord(c): f"\\u{ord(c):04X}" for c in "<>&"}))  # noqa: S308
