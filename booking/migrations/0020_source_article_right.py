from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0019_us_spelling"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="appointment",
            options={
                "ordering": ("starts_at",),
                "permissions": [("view_source_article", "Can view the article that a patient came from")],
                "verbose_name": "visit",
            },
        ),
    ]
