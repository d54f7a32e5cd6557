from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from education.articles.library import load_articles
from education.text.article_file import ArticleFileInvalid


class Command(BaseCommand):
    help = "Load the articles that come with the product. Articles that staff edited or reviewed are kept."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = load_articles(now=timezone.now())
        except ArticleFileInvalid as error:
            raise CommandError(str(error)) from None
        if options["verbosity"] > 0:
            self.stdout.write(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "no articles")
