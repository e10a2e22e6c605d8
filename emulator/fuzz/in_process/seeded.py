"""A Cryptographic Module whose randomness is a function of a seed: same seed, same octets.

For runs that are to be repeated, and for nothing else: whoever knows the seed knows every key.
"""

from __future__ import annotations

import random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from dlms.security.ops import CryptoOp, GenerateKeyPair, PublicKey, Sign
from emulator.modules import curves
from emulator.modules.key_kinds import PAIRS, SIGNS, check_kind
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule


class LoosedModule(SoftwareModule):
    """One whose keys may be replaced behind its back."""

    def let_go(self) -> None:
        """Drop what can be worked out again, and cannot be copied."""
        self._prepared.clear()
        self._authenticating.clear()
        self._private_keys.clear()


class SeededModule(LoosedModule):
    """Key pairs come from the seed as well, and signatures are those of RFC 6979."""

    def __init__(self, keys: KeyRing, seed: str) -> None:
        self._lot = random.Random(seed)
        super().__init__(keys, self._lot.randbytes)

    def execute(self, op: CryptoOp) -> Any:
        if isinstance(op, GenerateKeyPair):
            check_kind(op.into, PAIRS)
            number = self._lot.randrange(1, curves.ORDERS[op.curve])
            self.admit(op.into, number.to_bytes(op.curve.value, "big"))
            return super().execute(PublicKey(op.use, op.into))
        if isinstance(op, Sign):
            check_kind(op.key, SIGNS)
            key = curves.private_key(self.export(op.key))
            curve = curves.curve_of(key)
            assert curve is not None  # private_key() makes no other
            algorithm = ec.ECDSA(curves.hash_of(curve), deterministic_signing=True)
            numbers = decode_dss_signature(key.sign(op.message, algorithm))
            return b"".join(number.to_bytes(curve.value, "big") for number in numbers)
        return super().execute(op)
