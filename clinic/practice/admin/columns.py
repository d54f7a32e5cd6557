"""Admin columns that several rooms use."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin, display

from clinic.practice.templatetags.practice_tags import page_time


def moment_column(field: str, label: str) -> Callable[[ModelAdmin, Any], str]:
    """Return a ModelAdmin method for a column or read-only field: it formats the instant in `field` by `page_time`."""

    @display(description=label, ordering=field)
    def column(page: ModelAdmin, row: Any) -> str:
        instant = getattr(row, field)
        return page_time(instant) if instant else page.get_empty_value_display()

    return column
