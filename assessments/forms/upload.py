"""The form for staff to import a questionnaire."""

from django import forms


class UploadForm(forms.Form):
    """A FHIR questionnaire to import."""

    file = forms.FileField(
        label="File",
        help_text="A FHIR Questionnaire, R4 or R5, as JSON.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json,application/fhir+json"}),
    )
    slug = forms.SlugField(
        label="Short name (optional)",
        required=False,
        max_length=60,
        help_text="Letters, digits and hyphens, such as weekly-check. A file with the url of an existing questionnaire becomes its next version.",
    )
