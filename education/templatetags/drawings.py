"""Drawings of the figure in templates."""

from django import template
from django.utils.safestring import SafeString

from education.exercises.drawn import picture_markup

register = template.Library()


@register.simple_tag
def drawing(code: str, number: int, alt: str) -> SafeString:
    """Return frame `number` of a drawing as an image."""
    return picture_markup(code, number, alt)
