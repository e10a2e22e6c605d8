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
from emulator.policy import ModuleClass


class LoosedModule(SoftwareModule):
    """One whose keys may be replaced behind its back. It plays one of FIPS 140-2 Level 3, so that
    there is a module for whatever the policy asks for.

    ``executed`` are the operations that it has carried out, or tried to, if anybody looks.
    """

    module_class = ModuleClass.LEVEL_3
    emulated = True
    executed: list[CryptoOp] | None = None

    def execute(self, op: CryptoOp) -> Any:
        if self.executed is not None:
            self.executed.append(op)
        return self.carry_out(op)

    def carry_out(self, op: CryptoOp) -> Any:
        return super().execute(op)

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

    def carry_out(self, op: CryptoOp) -> Any:
        if isinstance(op, GenerateKeyPair):
            check_kind(op.into, PAIRS)
            number = self._lot.randrange(1, curves.ORDERS[op.curve])
            self.admit(op.into, number.to_bytes(op.curve.value, "big"))
            return super().carry_out(PublicKey(op.use, op.into))
        if isinstance(op, Sign):
            check_kind(op.key, SIGNS)
            key = curves.private_key(self.export(op.key))
            curve = curves.curve_of(key)
            assert curve is not None  # private_key() makes no other
            algorithm = ec.ECDSA(curves.hash_of(curve), deterministic_signing=True)
            numbers = decode_dss_signature(key.sign(op.message, algorithm))
            return b"".join(number.to_bytes(curve.value, "big") for number in numbers)
        return super().carry_out(op)
