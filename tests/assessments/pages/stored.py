"""The raw content of the database."""

from django.db import connection


def rows_as_text():
    """Return every column of every table as text, as stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall() if name != "assessments_questionnaire"]
        text = []
        for table in tables:
            cursor.execute(f"SELECT t::text, encode(convert_to(t::text, 'UTF8'), 'escape') FROM \"{table}\" t")
            text += [str(row) for row in cursor.fetchall()]
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type = 'bytea'",
                [table],
            )
            for (column,) in cursor.fetchall():
                cursor.execute(f'SELECT "{column}" FROM "{table}"')
                text += [bytes(value).decode("latin-1") for (value,) in cursor.fetchall() if value is not None]
    return "\n".join(text)
