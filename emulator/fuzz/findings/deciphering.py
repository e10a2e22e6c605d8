"""What is in the ciphered APDUs of a run, taken out with the keys that it is known to have had."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.release import RLRE_TAG, RLRQ_TAG
from dlms.errors import CodecError
from dlms.security.keys import KeyKind, KeyRef
from emulator.client.keys import Keys
from emulator.decoding.keys import KeyChain
from emulator.decoding.opening import Opened, can_open, opened
from emulator.fuzz.scenario.found import KnownKey
from emulator.trace import described


class Deciphering:
    """``keys`` are those of the whole run, of every version. ``titles`` are those of both ends."""

    def __init__(self, keys: Sequence[KnownKey], titles: Iterable[bytes]) -> None:
        self._titles = tuple(titles)
        pairs = product(_of(keys, KeyKind.GUEK), _of(keys, KeyKind.GAK) or (None,))
        given = {f"{number}": Keys(guek=guek, gak=gak) for number, (guek, gak) in enumerate(pairs)}
        self._chain = KeyChain(given)
        paired = [name for name, one in given.items() if one.gak is not None]
        for octets in _of(keys, KeyKind.DEDICATED):
            ak = KeyRef(b"", paired[-1], KeyKind.GAK) if paired else None
            self._chain.dedicate(octets, ak)

    def words(self, apdu: bytes) -> str:
        """What ``apdu`` says, and behind it what it says inside, if a key fits. A dedicated key
        in it is not shown.
        """
        said = described(apdu)
        try:
            ciphered = apdu if can_open(apdu) else _carried(apdu)
            if not can_open(ciphered):
                return said
            found = opened(self._chain, ciphered, self._titles)
        except CodecError:
            return said
        if not isinstance(found, Opened):
            return said
        doubt = ", and its tag does not verify" if found.verified is False else ""
        return f"{said}: {described(found.plaintext)}{doubt}"


_ACSE: dict[int, Callable[[bytes], Aarq | Aare | Rlrq | Rlre]] = {
    AARQ_TAG: Aarq.decode,
    AARE_TAG: Aare.decode,
    RLRQ_TAG: Rlrq.decode,
    RLRE_TAG: Rlre.decode,
}


def _carried(apdu: bytes) -> bytes:
    """The user-information of an ACSE APDU: an InitiateRequest or -Response, perhaps ciphered."""
    decode = _ACSE.get(apdu[0] if apdu else -1)
    return (decode(apdu).user_information or b"") if decode is not None else b""


def _of(keys: Sequence[KnownKey], kind: KeyKind) -> list[bytes]:
    """Each once; names are as ``dco/GUEK v1``."""
    found = [one for one in keys if one.name.partition("/")[2].partition(" ")[0] == kind.name]
    return list(dict.fromkeys(bytes.fromhex(one.octets) for one in found))
