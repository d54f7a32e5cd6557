from django.db import migrations


class Migration(migrations.Migration):
    """Importing, publishing and signing off are rights of their own; `add_questionnaire` opens none of them any longer."""

    dependencies = [("assessments", "0003_answered_versions_stay")]

    operations = [
        migrations.AlterModelOptions(
            name="questionnaire",
            options={
                "ordering": ["slug", "-version"],
                "permissions": [
                    ("import_questionnaire", "Can import a questionnaire from a file"),
                    ("publish_questionnaire", "Can publish a questionnaire to patients"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="rulesignoff",
            options={
                "ordering": ["-signed_at"],
                "verbose_name": "signed-off rule set",
                "permissions": [("sign_off_rules", "Can sign off the rules, as a therapist")],
            },
        ),
    ]
