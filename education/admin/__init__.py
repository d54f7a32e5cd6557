"""Admin pages for articles, topics and pictures."""

from education.admin.articles import ArticleAdmin, TopicAdmin
from education.admin.pictures import PictureAdmin

__all__ = ["ArticleAdmin", "PictureAdmin", "TopicAdmin"]
