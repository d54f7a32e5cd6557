"""A textarea with normalized line ends."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

LINE_ENDS = re.compile(r"\r\n?")


class TextArea(forms.Textarea):
    """A textarea that reads each line end as one character. Browsers count one against maxlength, but send two."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        return LINE_ENDS.sub("\n", text) if isinstance(text, str) else text
