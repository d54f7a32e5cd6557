"""The version of the data on public pages. It changes with every committed write to a registered model."""

from django.db import connection

from clinic.responses.public_models import PublicModel, public_models


def read_public_version() -> str:
    """Return the current version. One query, which reads every row of the registered models."""
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(_version_sql(public) for public in public_models()) + " ORDER BY 1")
        return repr(cursor.fetchall())


def _version_sql(public: PublicModel) -> str:
    """Return SQL for a row that changes with every write to the model's table, and when a row reaches `shown_from`.

    (xmin, ctid) identifies one version of one row. The largest xmin is not enough, since a transaction that began
    earlier may commit later.
    """
    name = public.model._meta.db_table
    shown = "0"
    if public.shown_from:
        column = connection.ops.quote_name(public.shown_from)
        shown = f"count(*) FILTER (WHERE {column} <= statement_timestamp())"
    rows = f"count(*), sum(hashtextextended(concat(xmin, ctid), 0)), {shown}"
    return f"SELECT '{name}', {rows} FROM {connection.ops.quote_name(name)}"  # noqa: S608 - names from _meta
