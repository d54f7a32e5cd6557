"""The form of a picture, and the field that checks an uploaded one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from PIL import Image

from clinic.practice.fields.text_areas import TextArea
from education.articles.pictures import FORMATS, LARGEST_FILE, PictureRefused, open_picture
from education.models import Picture


class PictureFileField(forms.FileField):
    """An uploaded picture. Cleans to its pixels without metadata."""

    widget = forms.ClearableFileInput(attrs={"accept": ",".join(f"image/{name.lower()}" for name in FORMATS)})

    def __init__(self, **options: Any) -> None:
        megabytes = LARGEST_FILE // 1024 // 1024
        hint = f"JPEG, PNG or WebP, at most {megabytes} MB. We remove the place and time that a camera stores in it."
        super().__init__(**{"help_text": hint, **options})

    def clean(self, data: UploadedFile | None, initial: Any = None) -> Image.Image | None:
        file = super().clean(data, initial)
        if not file:
            return None
        try:
            return open_picture(file.read(LARGEST_FILE + 1))
        except PictureRefused as refusal:
            raise ValidationError(str(refusal)) from None


class PictureForm(forms.ModelForm):
    """A new picture and its description, or only the description of an existing one: its pixels never change."""

    file = PictureFileField()

    class Meta:
        model = Picture
        fields = ("file", "description")
        widgets = {"description": TextArea(attrs={"rows": 2, "cols": 90})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["file"]
