"""Which answers a page was opened with, so that a page left open elsewhere does not overwrite newer ones unseen."""

import json
import uuid

from django.utils.crypto import salted_hmac

from assessments.questionnaire.model import Item

FIELD = "page.revision"  # of the page's form


def hash_page(owner: uuid.UUID | str, page: Item, answers: dict[str, list]) -> str:
    """A keyed hash of what `page` of `owner` (a response's id) holds in `answers`. It tells nothing of them."""
    held = {item.link_id: answers[item.link_id] for item in page.walk() if item.link_id in answers}
    words = json.dumps([str(owner), page.link_id, held], sort_keys=True)
    return salted_hmac("assessments.sitting", words, algorithm="sha256").hexdigest()
