"""Getting a token ready for a party: the secrets of its scopes, and the key that wraps the rest."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import partial

from pkcs11 import Attribute, KeyType, Mechanism

from emulator.modules.pkcs11 import templates
from emulator.modules.pkcs11.connection import OURS, Connection
from emulator.modules.pkcs11.residents import STORAGE, hmac_sha256, scope_label
from emulator.modules.pkcs11.token import Token

_STORAGE_BITS = 256
_COMPARED = b"cosemlab: is it the same secret?"


class OtherSecret(ValueError):
    """The token has the secret of another fleet."""


def prepare(token: Token, secrets: Mapping[str, bytes]) -> tuple[str, ...]:
    """Put the secrets of scopes into ``token``, and make its storage key, each where it is not
    there yet. Return the labels of what is new.

    :class:`OtherSecret` if it has another secret for one of the scopes: nothing is replaced, for
    what was wrapped and derived would be lost. Errors as of :meth:`Token.run`.
    """
    return token.run(partial(_prepare, secrets))


def _prepare(secrets: Mapping[str, bytes], connection: Connection) -> tuple[str, ...]:
    for scope, secret in secrets.items():
        there = connection.resident.get(scope_label(scope))
        if there is not None and not hmac.compare_digest(
            hmac_sha256(there, _COMPARED), hmac.digest(secret, _COMPARED, hashlib.sha256)
        ):
            raise OtherSecret(f"the token has another secret for the scope {scope!r}")
    made = []
    for scope, secret in secrets.items():
        label = scope_label(scope)
        if label not in connection.resident:
            template = templates.resident(label, OURS, KeyType.GENERIC_SECRET, wraps=False)
            connection.resident[label] = connection.session.create_object(
                {**template, Attribute.VALUE: secret}
            )
            made.append(label)
    if STORAGE not in connection.resident:
        connection.resident[STORAGE] = connection.session.generate_key(
            KeyType.AES,
            _STORAGE_BITS,
            mechanism=Mechanism.AES_KEY_GEN,
            template=templates.resident(STORAGE, OURS, KeyType.AES, wraps=True),
        )
        made.append(STORAGE)
    return tuple(made)
