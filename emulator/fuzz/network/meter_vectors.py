"""Initialization vectors of a meter that can be seen on the line alone (I1).

Only what verifies under a key that the client has counts: nobody is blamed for a message that
somebody has changed, or that is under another key.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.errors import CodecError
from dlms.security.ciphered import Ciphered, Family, decode_ciphered, is_ciphered
from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoFailure, Open, Use
from emulator.fuzz.in_process.client import BenchClient

_AUTHENTICATED = 0x10


class MeterVectors:
    """What the meter has sealed with each vector. Kept from run to run: keys are."""

    def __init__(self) -> None:
        self._used: dict[bytes, bytes] = {}

    def heard(self, client: BenchClient, apdu: bytes) -> list[str]:
        """An answer to ``client``, as it came: what is wrong with its vector."""
        ciphered = _ciphered(apdu)
        if ciphered is None or not ciphered.control & _AUTHENTICATED:
            return []
        association = client.association
        is_dedicated = ciphered.family is Family.DEDICATED
        ek = association.config.dedicated if is_dedicated else association.keys.guek
        if ek is None or not self._verifies(client, ek, ciphered):
            return []
        key = client.party.ring.get(ek)
        mark = hashlib.sha256(key + ciphered.counter.to_bytes(4, "big")).digest()
        what = hashlib.sha256(bytes((ciphered.control,)) + ciphered.body).digest()
        name = f"{client.row.name}/{ek.kind.name}"
        if self._used.setdefault(mark, what) != what:
            return [f"I1: the meter uses the counter {ciphered.counter} twice under {name}"]
        return []

    def _verifies(self, client: BenchClient, ek: KeyRef, ciphered: Ciphered) -> bool:
        association = client.association
        title = ciphered.title or association.server_title or client.meter
        step = Open(
            Use.OPEN_RESPONSE,
            ek,
            association.keys.gak,
            ciphered.control,
            title,
            ciphered.counter,
            ciphered.body,
        )
        with suppress(CryptoFailure, ValueError):
            client.party.module.execute(step)
            return True
        return False


def _ciphered(apdu: bytes) -> Ciphered | None:
    """What is ciphered of an answer, or in it."""
    with suppress(CodecError):
        if apdu[:1] == bytes((AARE_TAG,)):
            apdu = Aare.decode(apdu).user_information or b""
        if apdu and is_ciphered(apdu[0]):
            return decode_ciphered(apdu)
    return None
