"""Optimistic locking of a page.

The form has a hash of the answers with which it was opened, so that newer answers are detected.
"""

import json
import uuid

from django.utils.crypto import salted_hmac

from assessments.questionnaire.model import Item

FIELD = "page.revision"  # hidden field of the page's form


def hash_page(owner: uuid.UUID | str, page: Item, answers: dict[str, list]) -> str:
    """Return a keyed hash of the answers on `page`. It does not reveal them.

    `owner` is the id of the response, or "screen".
    """
    held = {item.link_id: answers[item.link_id] for item in page.walk() if item.link_id in answers}
    content = json.dumps([str(owner), page.link_id, held], sort_keys=True)
    return salted_hmac("assessments.sitting", content, algorithm="sha256").hexdigest()
