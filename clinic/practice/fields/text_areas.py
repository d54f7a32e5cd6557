"""Text of several lines as it is typed in a form."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

LINE_ENDS = re.compile(r"\r\n?")


class TextArea(forms.Textarea):
    """Reads each line end as one character, as the browser counts it against maxlength; browsers send two."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return LINE_ENDS.sub("\n", text) if isinstance(text, str) else text
