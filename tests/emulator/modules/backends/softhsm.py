"""A token of SoftHSM, for the suite that every Cryptographic Module passes."""

from __future__ import annotations

import os
import secrets as randomness
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from pkcs11 import Attribute, ObjectClass

from dlms.security.keys import KeyRef
from emulator.modules.module import CryptoModule
from emulator.modules.pkcs11 import softhsm
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.kept import WrappedInMemory
from emulator.modules.pkcs11.module import Pkcs11Module
from emulator.modules.pkcs11.preparing import prepare
from emulator.modules.pkcs11.token import Token

REFUSED = frozenset({"md5"})
"""SoftHSM digests no sensitive key with MD5."""

PIN = "a PIN of the tests"


@cache
def token_for(secrets: frozenset[tuple[str, bytes]]) -> str:
    """The label of a token with these secrets; made once, for that takes a while."""
    assert softhsm.SETTINGS in os.environ  # the fixture softhsm
    label = f"contract {randomness.token_hex(4)}"
    softhsm.make_token(softhsm.find_library(), label, PIN, "a PIN of its officer")
    token = Token(library=softhsm.find_library(), label=label, pin=lambda: PIN)
    prepare(token, dict(secrets))
    token.close()
    return label


@contextmanager
def made(
    keys: Mapping[KeyRef, bytes], secrets: dict[str, bytes], suite_of: Callable[[KeyRef], int]
) -> Iterator[CryptoModule]:
    label = token_for(frozenset(secrets.items()))
    token = Token(library=softhsm.find_library(), label=label, pin=lambda: PIN)
    module = Pkcs11Module(token, WrappedInMemory(), suite_of)
    try:
        for ref, octets in keys.items():
            module.admit(ref, octets)
        yield module
    finally:
        token.run(_destroy_pairs)
        module.close()


def _destroy_pairs(connection: Connection) -> None:
    """Key pairs that last are in the token: the next test begins without."""
    for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
        for one in list(connection.session.get_objects({Attribute.CLASS: kind})):
            one.destroy()
