"""What staff see of the library."""

from education.admin.articles import ArticleAdmin, TopicAdmin
from education.admin.pictures import PictureAdmin

__all__ = ["ArticleAdmin", "PictureAdmin", "TopicAdmin"]
