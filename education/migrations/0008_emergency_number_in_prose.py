"""Keep the emergency number in the searched text of stored articles."""

from django.db import migrations

from education.text.prose import plain_prose


def fill_prose(apps, schema_editor):
    for article in apps.get_model("education", "Article").objects.filter(body__contains="{emergency}"):
        article.prose = "\n".join([*article.key_facts, plain_prose(article.body)])
        article.save(update_fields=["prose"])


class Migration(migrations.Migration):
    dependencies = [("education", "0007_admin_words")]

    operations = [migrations.RunPython(fill_prose, migrations.RunPython.noop)]
