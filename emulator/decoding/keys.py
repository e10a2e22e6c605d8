"""The keys by which ciphered APDUs are opened, each tried where it may fit.

A key file names its entries and says nothing of system titles. An entry whose name is one, in
sixteen hexadecimal digits, is tried for that party alone; any other for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dlms.errors import DlmsError
from dlms.hiding import repr_without
from dlms.security.asymmetric import Agree
from dlms.security.derivation import other_info
from dlms.security.general_ciphering import (
    AgreedKey,
    GeneralCiphered,
    IdentifiedKey,
    Scheme,
    WrappedKey,
)
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Open, Seal, Unwrap, Use
from dlms.security.suites import SUITES, AlgorithmIdForm
from emulator.client.keys import Keys
from emulator.modules import curves
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

_TITLE = 8
_LENGTHS = {one.key_length for one in SUITES.values()}
_SECRET = (
    "guek", "gak", "gbek", "kek", "password", "hls_secret", "signing_key", "agreement_key",
)  # fmt: skip
MAX_DEDICATED = 64
"""Dedicated keys that are remembered: one for each association of a capture, the oldest goes."""


class Pair(NamedTuple):
    """An encryption key and the authentication key that goes with it, by their names."""

    name: str
    ek: KeyRef
    ak: KeyRef | None


class Message(NamedTuple):
    """What there is to open; ``extra`` are the fields that general-ciphering authenticates too."""

    control: int
    counter: int
    body: bytes
    extra: bytes = b""

    def __repr__(self) -> str:
        return repr_without(self, "body")


class KeyChain:
    """Keys by name. What it says of itself, and in errors, are names. ``ValueError`` for a key that
    has the length of no suite.
    """

    def __init__(self, given: Mapping[str, Keys]) -> None:
        self._ring = KeyRing()
        self._module = SoftwareModule(self._ring)
        self._given = dict(given)
        self._dedicated: dict[bytes, Pair] = {}
        for name, keys in given.items():
            for kind, octets in _octets(keys):
                if kind is not KeyKind.AGREEMENT_KEY and len(octets) not in _LENGTHS:
                    said = f"{name}: {kind.name.lower()} has {len(octets)} octets, not 16 or 32"
                    raise ValueError(said)
                self._ring.keep(KeyRef(b"", name, kind), octets)

    def __repr__(self) -> str:
        return f"<KeyChain of {', '.join(self._given) or 'nothing'}>"

    @property
    def secrets(self) -> Iterator[bytes]:
        """All that must not be shown."""
        for keys in self._given.values():
            for name in _SECRET:
                octets: bytes | None = getattr(keys, name)
                if octets:
                    yield octets
        yield from self._dedicated

    def _entries(self, parties: Iterable[bytes]) -> Iterator[tuple[str, Keys]]:
        titles = [title.hex() for title in parties]
        for name, keys in self._given.items():
            own = len(name) == 2 * _TITLE and all(c in "0123456789abcdefABCDEF" for c in name)
            if not own or name.lower() in titles:
                yield name, keys

    def global_pairs(self, parties: Iterable[bytes], *, broadcast: bool) -> Iterator[Pair]:
        kind, what = (KeyKind.GBEK, "gbek") if broadcast else (KeyKind.GUEK, "guek")
        for name, keys in self._entries(parties):
            if getattr(keys, what) is not None:
                yield Pair(f"{name} {what}", KeyRef(b"", name, kind), _gak(name, keys))

    def signers(self, parties: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
        """Public keys that signatures may be verified with, ``x ‖ y``, by their names: of the other
        end, and one's own, which follows from the private key.
        """
        for name, keys in self._entries(parties):
            if keys.peer_public is not None:
                yield f"{name} peer_public", keys.peer_public
            if keys.signing_key is not None:
                try:
                    private = curves.private_key(keys.signing_key)
                except (DlmsError, ValueError):
                    continue  # a key of no curve signs nothing
                yield f"{name} signing_key", curves.public_octets(private.public_key())

    def dedicated_pairs(self) -> Iterator[Pair]:
        """The latest first."""
        yield from reversed(list(self._dedicated.values()))

    def dedicate(self, octets: bytes, ak: KeyRef | None) -> None:
        """Remember a dedicated key that a client has given; ``ak`` is what it goes with."""
        if octets in self._dedicated:
            return
        if len(self._dedicated) >= MAX_DEDICATED:
            del self._dedicated[next(iter(self._dedicated))]
        ek = KeyRef(octets[:0], f"dedicated {len(self._dedicated)}", KeyKind.DEDICATED)
        ek = ek._replace(version=len(self._dedicated) + 1)
        self._ring.keep(ek, octets)
        self._dedicated[octets] = Pair("dedicated key of the association", ek, ak)

    def message_pairs(
        self, message: GeneralCiphered, parties: Iterable[bytes], suite: int
    ) -> Iterator[Pair]:
        """The keys that a general-ciphering APDU names or brings."""
        info, found = message.key_info, list(parties)
        if info is None or isinstance(info, IdentifiedKey):
            broadcast = isinstance(info, IdentifiedKey) and info.broadcast
            yield from self.global_pairs(found, broadcast=broadcast)
            return
        for name, keys in self._entries(found):
            into = KeyRef(b"", name, KeyKind.EPHEMERAL)
            try:
                if isinstance(info, WrappedKey) and keys.kek is not None:
                    kek = KeyRef(b"", name, KeyKind.KEK)
                    self._module.execute(Unwrap(Use.TRANSFER_KEY, kek, info.wrapped, into))
                    yield Pair(f"{name} kek, key of the message", into, _gak(name, keys))
                elif isinstance(info, AgreedKey) and keys.agreement_key is not None:
                    self._module.execute(_agreement(message, info, name, keys, suite, into))
                    yield Pair(f"{name} agreement_key, key of the message", into, _gak(name, keys))
            except (DlmsError, ValueError):
                continue

    def open(self, pair: Pair, title: bytes, message: Message) -> bytes:
        """:class:`~dlms.security.ops.CryptoFailure` if it does not verify."""
        control, counter, body, extra = message
        found: bytes = self._module.execute(
            Open(
                Use.OPEN_REQUEST, pair.ek, pair.ak if control & 0x10 else None, control, title,
                counter, body, None, extra if control & 0x10 else b"",
            )
        )  # fmt: skip
        return found

    def seal(self, pair: Pair, title: bytes, message: Message) -> bytes:
        """The other way; ``message.body`` is the plaintext. What is not encrypted stands before its
        tag.
        """
        control, counter, body, extra = message
        sealed: bytes = self._module.execute(
            Seal(
                Use.PROTECT_REQUEST, pair.ek, pair.ak if control & 0x10 else None, control, title,
                counter, body, extra if control & 0x10 else b"",
            )
        )  # fmt: skip
        return sealed if control & 0x20 else body + sealed


def _octets(keys: Keys) -> Iterator[tuple[KeyKind, bytes]]:
    for kind, octets in (
        (KeyKind.GUEK, keys.guek),
        (KeyKind.GAK, keys.gak),
        (KeyKind.GBEK, keys.gbek),
        (KeyKind.KEK, keys.kek),
        (KeyKind.AGREEMENT_KEY, keys.agreement_key),
    ):
        if octets is not None:
            yield kind, octets


def _gak(name: str, keys: Keys) -> KeyRef | None:
    return None if keys.gak is None else KeyRef(b"", name, KeyKind.GAK)


def _agreement(
    message: GeneralCiphered, info: AgreedKey, name: str, keys: Keys, suite: int, into: KeyRef
) -> Agree:
    """How the key was agreed, as far as one's own private key reaches: that of the recipient, or
    with :data:`~dlms.security.general_ciphering.Scheme.STATIC` of either.
    """
    found = SUITES.get(suite)
    curve = None if found is None else found.curve
    if found is None or curve is None:
        raise ValueError("no key agreement in this suite")
    header = message.header
    one_pass = info.scheme is Scheme.ONE_PASS
    public = info.data[: 2 * curve.value] if one_pass else keys.peer_agreement_public
    if public is None:
        raise ValueError("the other party's public key is not known")
    nonce = None if one_pass else header.transaction_id
    own = KeyRef(b"", name, KeyKind.AGREEMENT_KEY)
    derived = other_info(
        AlgorithmIdForm.REGISTERED, found.cipher, header.originator, header.recipient, nonce
    )
    return Agree(Use.AGREE_KEY, own, public, derived, into, found.key_length)
