from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("practice", "0015_roles")]

    # Processes of the previous release still read and insert the column. The next release drops it.
    operations = [
        migrations.AlterField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(db_default=False, default=False, verbose_name="may log in to the admin"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="user", name="is_staff")]
        ),
    ]
