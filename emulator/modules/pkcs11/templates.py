"""How keys are in a token: what each kind may do there, and what may leave it.

A readable key is one that the protocol needs outside: an Authentication Key goes into the
additional data of AES-GCM, which PKCS#11 takes as octets; a dedicated key travels in an
InitiateRequest, whose plaintext is octets too; a low level security secret is presented. All others
are sensitive: they leave the token wrapped or not at all, and not even wrapped unless they must.
"""

from __future__ import annotations

from typing import Any

from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Curve
from emulator.modules.key_kinds import AES, AGREES, ENCIPHERS, WRAPS

READABLE = (KeyKind.GAK, KeyKind.DEDICATED, KeyKind.LLS_SECRET)

CURVE_PARAMETERS = {
    Curve.P256: encode_named_curve_parameters("secp256r1"),
    Curve.P384: encode_named_curve_parameters("secp384r1"),
}
UNCOMPRESSED = b"\x04"

Template = dict[Attribute, Any]


def key_type(ref: KeyRef) -> KeyType:
    """What a key is to the token: a password is no key of AES."""
    return KeyType.AES if ref.kind in AES else KeyType.GENERIC_SECRET


def secret(ref: KeyRef, *, extractable: bool = False) -> Template:
    """A secret key that ends with the session. ``extractable``: it may leave, wrapped."""
    readable = ref.kind in READABLE
    wraps = ref.kind in WRAPS
    enciphers = ref.kind in ENCIPHERS
    return {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: key_type(ref),
        Attribute.TOKEN: False,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: not readable,
        Attribute.EXTRACTABLE: readable or extractable,
        Attribute.ENCRYPT: enciphers,
        Attribute.DECRYPT: enciphers,
        Attribute.WRAP: wraps,
        Attribute.UNWRAP: wraps,
        Attribute.SIGN: False,
        Attribute.VERIFY: False,
        Attribute.DERIVE: False,
    }


def private(ref: KeyRef, *, label: str = "", lasting: bool = False) -> Template:
    """A private key that never leaves, and lasts in the token or ends with the session. A key
    agreement key signs its own certificate request (GB Ed. 8, 9.2.6.5); that it signs nothing else
    is for the module to see to.
    """
    return {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.KEY_TYPE: KeyType.EC,
        Attribute.LABEL: label,
        Attribute.TOKEN: lasting,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.SIGN: True,
        Attribute.DERIVE: ref.kind in AGREES,
    }


def public(curve: Curve, *, label: str = "", lasting: bool = False) -> Template:
    """The public key beside it."""
    return {
        Attribute.CLASS: ObjectClass.PUBLIC_KEY,
        Attribute.KEY_TYPE: KeyType.EC,
        Attribute.EC_PARAMS: CURVE_PARAMETERS[curve],
        Attribute.LABEL: label,
        Attribute.TOKEN: lasting,
        Attribute.PRIVATE: False,
        Attribute.VERIFY: True,
    }


def resident(label: str, identity: bytes, kind: KeyType, *, wraps: bool) -> Template:
    """A secret key that stays in the token for good: it wraps, or makes HMACs."""
    return {
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: kind,
        Attribute.LABEL: label,
        Attribute.ID: identity,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.WRAP: wraps,
        Attribute.UNWRAP: wraps,
        Attribute.SIGN: not wraps,
        Attribute.ENCRYPT: False,
        Attribute.DECRYPT: False,
        Attribute.VERIFY: False,
        Attribute.DERIVE: False,
    }
