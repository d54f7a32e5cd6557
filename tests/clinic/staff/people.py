"""Members of staff for the tests of sign-in, with their browsers."""

import re

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client, TestCase
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from clinic.practice.models import Role, User
from clinic.staff.sign_in.session_limits import FACTOR

PASSWORD = "a long walk by the lake"
PASSKEY_ID = b"the id of a passkey"


def make_staff(email="olga@clinic.example", *, roles=(Role.OWNER, Role.THERAPIST), password=PASSWORD) -> User:
    return User.objects.create_user(email, password, name="Olga Owner", roles=list(roles))


def sign_in(user, browser=None, *, password=PASSWORD, to="", **headers):
    """Post the sign-in form and return the response."""
    form = {"login": user.email, "password": password, **({"next": to} if to else {})}
    return (browser or Client()).post("/staff/sign-in/", form, **headers)


def signed_in(user, **headers) -> Client:
    """Return a browser that signed in by password alone."""
    browser = Client()
    assert sign_in(user, browser, **headers).status_code == 302
    return browser


def add_app(browser) -> str:
    """Add an authenticator app to the account of `browser`. Returns the app's secret."""
    page = browser.get("/staff/security/totp/activate/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    with TestCase.captureOnCommitCallbacks(execute=True):
        added = browser.post("/staff/security/totp/activate/", {"code": code_of(secret)})
    assert added["Location"] == "/staff/security/recovery-codes/", added.content
    session = browser.session  # in a test's transaction, the commit that tells the session comes too late
    session[FACTOR] = True
    session.save()
    return secret


def code_of(secret: str, *, ahead: int = 0) -> str:
    """Return the code that an app with `secret` shows now, or `ahead` periods of 30 seconds later."""
    counter = list(yield_hotp_counters_from_time())[1]
    return format_hotp_value(hotp_value(secret, counter + ahead))


def recovery_codes(browser) -> list[str]:
    """Return the recovery codes that the page shows once."""
    return re.findall(r"<li><code>(\d+)</code></li>", browser.get("/staff/security/recovery-codes/").content.decode())


def add_passkey(user) -> Authenticator:
    """Add a passkey to the account. No device has its private key."""
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    credential = AttestedCredentialData.create(Aaguid(bytes(16)), PASSKEY_ID, key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    attested = AttestationObject.create("none", AuthenticatorData.create(bytes(32), flags, 0, bytes(credential)), {})
    made = CollectedClientData.create("webauthn.create", bytes(32), "http://testserver")
    response = {"clientDataJSON": websafe_encode(made), "attestationObject": websafe_encode(attested)}
    sent = {"id": websafe_encode(PASSKEY_ID), "rawId": websafe_encode(PASSKEY_ID), "type": "public-key"}
    data = {"name": "Passkey", "credential": sent | {"response": response, "clientExtensionResults": {}}}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
