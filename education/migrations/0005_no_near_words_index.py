from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("education", "0004_place"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="article",
            name="article_near_words",
        ),
    ]
