"""Encrypt bytes for one place with AES-256-GCM. A token that was moved or changed cannot be decrypted.

Pure. A token is `version | length of key id | key id | nonce | ciphertext and tag`. The associated data is everything
before the nonce, followed by the place of the token.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """A token cannot be decrypted: missing or wrong key, wrong row, changed bytes. The message has no plaintext."""

    def __init__(self, message: str, *, place: str):
        super().__init__(message)
        self.place = place


def seal(plain: bytes, *, place: str, keys: dict[str, bytes]) -> bytes:
    """Return `plain` encrypted for `place` under the first of `keys`."""
    key_id, key = next(iter(keys.items()))
    header = sealed_with(key_id)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return header + nonce + AESGCM(key).encrypt(nonce, plain, header + place.encode())


def open_sealed(token: bytes, *, place: str, keys: dict[str, bytes]) -> bytes:
    """Return the plaintext of `token`. Raises DecryptionFailed, which names the place and a missing key."""
    key_id = read_key_id(token, place=place)
    if key_id not in keys:
        raise DecryptionFailed(f"{place} needs the key {key_id!r}, which is not among ENCRYPTION_KEYS", place=place)
    start = 2 + len(key_id.encode())
    header, nonce, sealed = token[:start], token[start : start + NONCE_BYTES], token[start + NONCE_BYTES :]
    try:
        return AESGCM(keys[key_id]).decrypt(nonce, sealed, header + place.encode())
    except (InvalidTag, ValueError):
        raise DecryptionFailed(
            f"{place} does not open: it was changed, moved from another row, or its key is wrong", place=place
        ) from None


def read_key_id(token: bytes, *, place: str) -> str:
    """Return the id of the key of the `token` found at `place`.

    Raises DecryptionFailed if it is not a token of VERSION.
    """
    try:
        if token[0] != VERSION:
            raise DecryptionFailed(f"{place} is not a sealed value of a version that is known here", place=place)
        return token[2 : 2 + token[1]].decode()
    except (IndexError, UnicodeDecodeError):
        raise DecryptionFailed(f"{place} is not a sealed value", place=place) from None


def sealed_with(key_id: str) -> bytes:
    """Return the header of every token encrypted with the key `key_id`."""
    return bytes([VERSION, len(key_id.encode())]) + key_id.encode()
