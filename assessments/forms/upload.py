"""The form by which staff import a questionnaire."""

from django import forms


class UploadForm(forms.Form):
    """A FHIR questionnaire to import."""

    file = forms.FileField(
        label="The file",
        help_text="A FHIR Questionnaire, R4 or R5, as JSON.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json,application/fhir+json"}),
    )
    slug = forms.SlugField(
        label="Its short name here (if you like)",
        required=False,
        max_length=60,
        help_text="Without spaces, such as weekly-check. A file whose url is known here becomes the next version of that questionnaire.",
    )
