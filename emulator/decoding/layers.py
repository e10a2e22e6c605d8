"""An APDU taken apart, and what is beneath its protection taken apart too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from dlms.errors import CodecError
from dlms.security.ciphered import is_ciphered
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.general_signing import GENERAL_SIGNING, decode_general_signing
from dlms.security.layers import MAX_LAYERS
from dlms.xdlms.general_block import TAG as GENERAL_BLOCK
from emulator.decoding.fields import MOST, Field, Subject, cut_apdu
from emulator.decoding.keys import KeyChain
from emulator.decoding.opening import Closed, Opened, check_apdu, dedicate, opened
from emulator.decoding.signatures import signatures

Subjects = tuple[Subject | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """``octets`` with their ``fields``. ``origin`` says how they came about, empty for an APDU as
    it was sent; ``closed`` whether something in it stays ciphered. ``problems`` are what is wrong;
    ``notes`` what is not, and may be of interest.
    """

    octets: bytes = field(repr=False)
    fields: tuple[Field, ...]
    origin: str = ""
    key: str = ""
    verified: bool | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What layers are taken apart with. ``about`` tells what the values of a response are."""

    chain: KeyChain
    titles: tuple[bytes, ...] = ()
    about: Callable[[bytes], Subjects] = lambda apdu: ()
    most: int = MOST


def layers_of(octets: bytes, means: Means, origin: str = "") -> list[Layer]:
    """The APDU, then each that is beneath it."""
    return list(_layers(octets, means, Layer(octets=octets, fields=(), origin=origin), 0))


def _layers(octets: bytes, means: Means, first: Layer, depth: int) -> Iterable[Layer]:
    cut = cut_apdu(octets, means.about(octets), means.most)
    problems, notes = list(first.problems), list(first.notes)
    try:
        check_apdu(octets)
    except CodecError as error:
        problems.append(str(error))
    for signature in signatures(means.chain, octets):
        (problems if signature.is_wrong else notes).append(str(signature))
    beneath: list[Layer] = []
    inside, closed = 0, False
    for start, stop in cut.closed:
        if start < inside:
            continue  # beneath one that was looked at
        inside = stop
        found = _open(octets[start:stop], means)
        if isinstance(found, str):
            problems.append(f"ciphered APDU at octet {start}: {found}")
        elif isinstance(found, Closed):
            closed = True
            notes.append(f"ciphered APDU at octet {start} stays closed: {found.reason}")
        else:
            said = _said(found)
            if found.verified is False and not found.key:
                closed = True
                notes.append(f"ciphered APDU at octet {start}: {said}")
            elif found.verified is False:
                problems.append(f"ciphered APDU at octet {start}: {said}")
            else:
                notes.append(f"ciphered APDU at octet {start}: {said}")
            if found.key and depth <= MAX_LAYERS:
                dedicate(means.chain, found)
                origin = f"beneath octet {start}"
                plain = Layer(
                    octets=found.plaintext, fields=(), origin=origin, key=found.key,
                    verified=found.verified,
                )  # fmt: skip
                beneath += _layers(found.plaintext, means, plain, depth + 1)
    yield Layer(
        octets=octets, fields=cut.fields, origin=first.origin, key=first.key,
        verified=first.verified, problems=tuple(problems), notes=tuple(notes),
        closed=closed,
    )  # fmt: skip
    yield from beneath


def plain_of(layers: list[Layer]) -> Layer:
    """The layer that says what the message is: the first that is no protection and no block."""
    for layer in layers:
        tag = layer.octets[0] if layer.octets else -1
        if not (is_ciphered(tag) or tag in (GENERAL_CIPHERING, GENERAL_SIGNING, GENERAL_BLOCK)):
            return layer
        if tag == GENERAL_SIGNING:
            try:
                return replace(layer, octets=decode_general_signing(layer.octets).content)
            except CodecError:
                return layer
    return layers[-1]


def _open(apdu: bytes, means: Means) -> Opened | Closed | str:
    try:
        return opened(means.chain, apdu, means.titles)
    except CodecError as error:
        return str(error)


def _said(found: Opened) -> str:
    by = (
        f"opened by {found.key} with title {found.title.hex().upper()}" if found.key else "in clear"
    )
    if found.verified is None:
        return f"{by}, no authentication tag"
    if found.verified:
        return f"{by}, authentication tag verified"
    if found.key:
        return f"{by}, but its authentication tag does not verify"
    return f"{by}, its authentication tag not verified: no key fits"
