"""A textarea with normalized line ends."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

LINE_ENDS = re.compile(r"\r\n?")


class TextArea(forms.Textarea):
    """Reads each line end as one character, as browsers count it against maxlength; they send two."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return LINE_ENDS.sub("\n", text) if isinstance(text, str) else text
