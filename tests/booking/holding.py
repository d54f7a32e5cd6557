"""Helpers that hold a time and book it through the forms, as a browser does."""

import re

NINE = "/book/evaluation/meredith/20261201T1400Z/"
TEN = "/book/evaluation/meredith/20261201T1500Z/"
TYPED = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}


def typed(page) -> dict:
    return TYPED | {"idempotency_key": re.search(r'idempotency_key" value="([^"]+)"', page.content.decode())[1]}


def press(client, path, **data):
    return client.post(path + "hold/", data)
