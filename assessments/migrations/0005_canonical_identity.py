"""Questionnaires are told apart by the whole canonical url of their file; an alert may go to the clinic's own address.

Until now two files whose urls end alike were versions of one questionnaire. Where that has happened, the file that came
first keeps the name, and with it the services that go by it; the others get a name of their own.
"""

from itertools import count

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import migrations, models
from django.db.models import Func, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim

TEXT = models.TextField()
URL = Func(KeyTextTransform("url", "definition"), Value("|"), Value(1), function="split_part", output_field=TEXT)
FILE_URL = NullIf(Trim(URL), Value("", output_field=TEXT))
BY_SLUG = Concat(Value("urn:runclinic:local:", output_field=TEXT), Cast("slug", TEXT), output_field=TEXT)
CANONICAL = Coalesce(FILE_URL, BY_SLUG, output_field=TEXT)


def separate_merged(apps, schema_editor):
    Questionnaire = apps.get_model("assessments", "Questionnaire")
    rows = list(Questionnaire.objects.order_by("slug", "version").annotate(file_url=FILE_URL))
    slugs, owners, renamed = {row.slug for row in rows}, {}, {}
    # A name is not a word of an answered version: the database keeps it all the same, except for this once.
    schema_editor.execute("ALTER TABLE assessments_questionnaire DISABLE TRIGGER USER")
    for row in rows:
        if owners.setdefault(row.slug, row.file_url) == row.file_url:
            continue
        key = (row.slug, row.file_url)
        if key not in renamed:
            renamed[key] = next(name for n in count(2) if (name := f"{row.slug[:56]}-{n}") not in slugs)
            slugs.add(renamed[key])
        Questionnaire.objects.filter(pk=row.pk).update(slug=renamed[key])
    schema_editor.execute("ALTER TABLE assessments_questionnaire ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [
        ("assessments", "0004_import_and_publish_rights"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Booking needs it too, so undoing this migration keeps it.
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS btree_gist", migrations.RunSQL.noop),
        migrations.RunPython(separate_merged, migrations.RunPython.noop),
        migrations.AddField(
            model_name="questionnaire",
            name="canonical",
            field=models.GeneratedField(db_persist=True, expression=CANONICAL, output_field=TEXT),
        ),
        migrations.AddConstraint(
            model_name="questionnaire",
            constraint=ExclusionConstraint(
                expressions=[("slug", "="), ("canonical", "<>")], name="questionnaire_slug_names_one_canonical"
            ),
        ),
        migrations.RemoveConstraint(model_name="staffalert", name="alert_once_per_person_and_instant"),
        migrations.AlterField(
            model_name="staffalert",
            name="recipient",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="staffalert",
            constraint=models.UniqueConstraint(
                fields=("response", "recipient", "level", "planned_at"),
                name="alert_once_per_person_and_instant",
                nulls_distinct=False,
            ),
        ),
    ]
