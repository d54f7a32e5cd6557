"""Each event of a visit records its version, therapist and mode, from which a message says what has changed."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def describe_newest_events(apps, schema_editor):
    """The newest event of each visit describes the visit as it is; what older ones described is not known."""
    event, visit = apps.get_model("booking", "AppointmentEvent"), apps.get_model("booking", "Appointment")
    newest = event.objects.filter(appointment=OuterRef("appointment")).order_by("-at", "-id")
    of_visit = visit.objects.filter(pk=OuterRef("appointment"))
    event.objects.filter(pk=Subquery(newest.values("pk")[:1])).update(
        version=Subquery(of_visit.values("version")),
        therapist=Subquery(of_visit.values("therapist")),
        mode=Subquery(of_visit.values("mode")),
    )


class Migration(migrations.Migration):
    dependencies = [("booking", "0010_what_was_agreed"), ("practice", "0009_unreviewed_articles")]

    operations = [
        migrations.AddField(
            "appointmentevent",
            "version",
            models.PositiveSmallIntegerField(
                help_text="The visit's version after this; null in rows from before it was recorded.", null=True
            ),
        ),
        migrations.AddField(
            "appointmentevent",
            "therapist",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="practice.therapist",
            ),
        ),
        migrations.AddField(
            "appointmentevent",
            "mode",
            models.CharField(
                blank=True,
                choices=[("in_person", "in person"), ("video", "by video"), ("phone", "by phone")],
                default="",
                max_length=10,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(describe_newest_events, migrations.RunPython.noop, elidable=True),
    ]
