"""The keys with which ciphered layers are opened and made.

They are of the session: :func:`use_keys` says once which, from then on what they open is a layer
beneath the ciphered one. System titles are learned from the AARQ and AARE that are dissected, and
dedicated keys from the InitiateRequests that are opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dlms.errors import DlmsError
from emulator.client import key_file
from emulator.client.keys import Keys
from emulator.decoding.keys import KeyChain, Message, Pair
from emulator.decoding.opening import Closed, Opened, dedicate, opened

MAX_TITLES = 32
"""System titles that are remembered, each of which is tried; the oldest goes."""


class _Session:
    def __init__(self) -> None:
        self.chain: KeyChain | None = None
        self.titles: list[bytes] = []


_session = _Session()


def use_keys(
    keys: Mapping[str, Keys] | Path | str | None, titles: Iterable[bytes | str] = ()
) -> None:
    """Open and make ciphered layers with these keys, or with none from now on.

    ``keys`` is a key file or what is in one; ``titles`` are system titles of originators, in octets
    or hexadecimal, for what is dissected without its AARQ and AARE.
    """
    given = key_file.load(Path(keys)) if isinstance(keys, (str, Path)) else keys
    _session.chain = None if given is None else KeyChain(given)
    _session.titles = []
    for title in titles:
        heard(bytes.fromhex(title) if isinstance(title, str) else title)


def heard(title: bytes) -> None:
    """Remember a system title."""
    if len(title) == 8 and title not in _session.titles:
        _session.titles.append(title)
        del _session.titles[:-MAX_TITLES]


def opening(apdu: bytes) -> Opened | Closed | None:
    """What becomes of a ciphered APDU; ``None`` without keys, and if it is malformed."""
    if _session.chain is None:
        return None
    try:
        found = opened(_session.chain, apdu, _session.titles)
    except DlmsError:
        return None
    if isinstance(found, Opened):
        dedicate(_session.chain, found)
    return found


def sealed(message: Message, title: bytes, *, dedicated: bool, broadcast: bool) -> bytes | None:
    """What stands behind the security header for a plaintext; ``None`` without a key for it.

    Without ``title``, that is the one which was heard first.
    """
    chain = _session.chain
    if not message.control & 0x30:
        return message.body
    if chain is None or not (title or _session.titles):
        return None
    title = title or _session.titles[0]
    pairs = (
        chain.dedicated_pairs() if dedicated else chain.global_pairs([title], broadcast=broadcast)
    )
    pair: Pair | None = next((one for one in pairs if one.ak or not message.control & 0x10), None)
    return None if pair is None else chain.seal(pair, title, message)
