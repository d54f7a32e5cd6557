"""What staff see of the library."""

from education.admin.articles import ArticleAdmin, TopicAdmin

__all__ = ["ArticleAdmin", "TopicAdmin"]
