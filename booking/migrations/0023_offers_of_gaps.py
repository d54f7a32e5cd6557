import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0022_lengths_and_moves"),
        ("practice", "0017_merged_and_erased"),
    ]

    operations = [
        migrations.AlterField(
            model_name="slotoffer",
            name="freed_by",
            field=models.ForeignKey(
                help_text="The visit that was canceled or moved. Empty: staff offer a gap.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="offers_of_its_time",
                to="booking.appointment",
            ),
        ),
        migrations.AlterField(
            model_name="slotoffer",
            name="freed_version",
            field=models.PositiveSmallIntegerField(
                help_text="The version of that visit which freed the time.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="slotoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("freed_by__isnull", True)),
                fields=("entry", "therapist", "starts_at"),
                name="slot_offer_once_for_a_time_in_a_gap",
            ),
        ),
        migrations.AddConstraint(
            model_name="slotoffer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("freed_by__isnull", True), ("freed_version__isnull", True)),
                    models.Q(("freed_by__isnull", False), ("freed_version__isnull", False)),
                    _connector="OR",
                ),
                name="slot_offer_is_freed_at_a_version",
            ),
        ),
    ]
