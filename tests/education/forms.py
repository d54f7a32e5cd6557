"""The form of an article in the admin."""

from tests.world import WRITTEN_AT


def article_form(client, path):
    """What a browser sends when nothing in the form at `path` was touched."""
    form = client.get(path).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {name: "" if value is None else value for name, value in data.items()}
    return data | {"published_at_0": WRITTEN_AT.date().isoformat(), "published_at_1": WRITTEN_AT.time().isoformat()}
