"""Forms of sign-in: allauth's, with the limits of `throttle`."""

import struct
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_factor_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.fields.form_fields import AddressField
from clinic.practice.models import User
from clinic.staff.sign_in.throttle import check_code_limits, check_passkey_limits, is_code_fresh

# Raised by allauth and fido2 for malformed credentials.
MALFORMED = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError, struct.error)


class SignInForm(LoginForm):
    """Email address and password. The adapter checks the limits before the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Email address"
        self.fields["login"].widget.attrs = {"autocomplete": "username", "autofocus": True}
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)


class _CredentialField(forms.JSONField):
    """JSON. Django's field lets the parser's other errors through: numbers of 5,000 digits, lists in lists in lists."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (RecursionError, ValueError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data  # the page's script fills the field anew; shown again, it would be parsed again

    def prepare_value(self, value: Any) -> Any:
        return ""


class _Passkey(forms.Form):
    """What a browser sends about a passkey. allauth's parser raises other errors than ValidationError on garbage."""

    credential = _CredentialField(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except MALFORMED as error:
            raise ValidationError(get_factor_adapter().error_messages["incorrect_code"]) from error


class PasskeyForm(_Passkey, LoginWebAuthnForm):
    """Sign-in by passkey alone, within the limits of the visitor's network. Failures are recorded."""

    def clean_credential(self) -> Any:
        request, now = context.request, timezone.now()
        check_passkey_limits(request, now=now)
        try:
            return super().clean_credential()
        except ValidationError:
            record_sign_in(user=None, kind=SignInKind.FAILED, request=request, now=now)
            raise


class PasskeyStepForm(_Passkey, AuthenticateWebAuthnForm):
    """The second step of a sign-in, by passkey."""


class ConfirmByPasskeyForm(_Passkey, ReauthenticateWebAuthnForm):
    """Re-authentication by passkey."""


class _Code(forms.Form):
    """A code of an authenticator app, or a recovery code: limited tries, and each code of an app works once."""

    request: Any
    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        now = timezone.now()
        check_code_limits(context.request, self.user, now=now)
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP and not is_code_fresh(self.user, code, now=now):
            raise ValidationError("This code was used already. Wait for the next one.")
        return code


class SecondStepForm(_Code, AuthenticateForm):
    """The second step of a sign-in."""


class ConfirmByCodeForm(_Code, ReauthenticateForm):
    """Re-authentication by a code."""


class PasskeyNameForm(AddWebAuthnForm):
    """Add a passkey."""

    credential = _CredentialField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "passwordless" in self.fields:
            self.fields["passwordless"].label = "Sign in with it alone, without the password"
            self.fields["passwordless"].help_text = "Your fingerprint, face or the code of the device is then enough."

    def clean(self) -> Any:
        try:
            return super().clean()
        except MALFORMED as error:
            raise ValidationError(get_factor_adapter().error_messages["incorrect_code"]) from error


class NewOwnPasswordForm(ChangePasswordForm):
    """Change one's own password. The rules are on the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"oldpassword": "Current password", "password1": "New password", "password2": "New password again"}
        for name, label in labels.items():
            self.fields[name].label, self.fields[name].help_text = label, ""
            self.fields[name].widget.attrs.pop("placeholder", None)

    def clean_oldpassword(self) -> str:
        """Check the current password under the limits of a sign-in, which allauth's form does not do."""
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter(context.request).reauthenticate(self.user, password):
            raise ValidationError(get_adapter().error_messages["incorrect_password"])
        return password


class ResetForm(forms.Form):
    """The address to which the link for a new password goes."""

    email = AddressField()


class NewPasswordForm(forms.Form):
    """A new password, typed once: it can be shown, so that a second field only costs time."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 15 characters. Four or five words in a row are easy to remember. No rules about digits.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password
