"""The admin form of an article."""

from tests.world import WRITTEN_AT


def article_form(client, path):
    """Return what a browser sends for the unchanged form at `path`."""
    form = client.get(path).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {name: "" if value is None else value for name, value in data.items()}
    return data | {"published_at_0": WRITTEN_AT.date().isoformat(), "published_at_1": WRITTEN_AT.time().isoformat()}
