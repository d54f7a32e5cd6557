import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("practice", "0014_admin_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="roles",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("owner", "owner"),
                        ("therapist", "therapist"),
                        ("front-desk", "front desk"),
                        ("editor", "editor"),
                        ("auditor", "auditor"),
                    ],
                    max_length=20,
                ),
                blank=True,
                default=list,
                db_default=[],
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("roles__contained_by", ["owner", "therapist", "front-desk", "editor", "auditor"])),
                name="user_roles_are_known",
            ),
        ),
    ]
