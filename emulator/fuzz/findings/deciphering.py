"""What is in the ciphered APDUs of a run, taken out with the keys that it is known to have had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

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
        """What ``apdu`` says, and behind it what it says inside, if a key fits."""
        said = described(apdu)
        if not can_open(apdu):
            return said
        try:
            found = opened(self._chain, apdu, self._titles)
        except CodecError:
            return said
        if not isinstance(found, Opened):
            return said
        doubt = ", and its tag does not verify" if found.verified is False else ""
        return f"{said}: {described(found.plaintext)}{doubt}"


def _of(keys: Sequence[KnownKey], kind: KeyKind) -> list[bytes]:
    """Each once; names are as ``dco/GUEK v1``."""
    found = [one for one in keys if one.name.partition("/")[2].partition(" ")[0] == kind.name]
    return list(dict.fromkeys(bytes.fromhex(one.octets) for one in found))
