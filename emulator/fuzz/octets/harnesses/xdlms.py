"""xDLMS: every plain APDU, and the parts of which they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms import codes, descriptors, general_block, registry
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse, compose, lift_dedicated_key
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Outcome, Structure, Unlawful
from emulator.fuzz.octets.values import samples

_ERRORS = (CodecError,)
_ATTRIBUTE = descriptors.AttributeDescriptor(7, bytes.fromhex("0100630100FF"), 2)


def _encode(apdu: Any) -> bytes:
    octets: bytes = apdu.encode()
    return octets


def apdu_seeds() -> Iterable[bytes]:
    """Every APDU of the vectors."""
    yield from sources.vectors("services", "blocks", "xdlms", "gbt")
    yield from sources.vectors("ciphered", key="plaintext")
    yield from sources.built("apdu-")


def _apdu(octets: bytes) -> Outcome:
    """Also what a server asks of a request, and how it is shown."""
    outcome = _play_apdu(octets)
    if outcome is Outcome.TAKEN:
        apdu: Any = registry.decode(octets)
        repr(apdu)
        if not isinstance(getattr(apdu, "needs", Conformance.GET), Conformance):
            raise Unlawful("what a request needs is known", repr(apdu))
    return outcome


_play_apdu = laws.codec(registry.decode, _encode, _ERRORS)


def _tagged(kind: type[InitiateRequest] | type[InitiateResponse]) -> Structure:
    return Structure(read=kind.decode, write=_encode)


def _initiate(octets: bytes) -> Outcome:
    """Composed of its parts it is the same, and the lifted key is what the decoder sees."""
    outcome = _play_initiate(octets)
    key, blanked = lift_dedicated_key(octets)
    if outcome is Outcome.REFUSED:
        return outcome
    request = InitiateRequest.decode(octets)
    if b"".join(part for part in compose(request, request.dedicated_key)) != request.encode():  # type: ignore[misc]
        raise Unlawful("composed is encoded", octets.hex())
    if key != request.dedicated_key:
        raise Unlawful("the key that is lifted is the one that is there", octets.hex())
    if key and any(InitiateRequest.decode(blanked).dedicated_key or b""):
        raise Unlawful("a key that is lifted is gone", octets.hex())
    return outcome


_play_initiate = laws.codec(InitiateRequest.decode, InitiateRequest.encode, _ERRORS)


def _whole(read: Callable[[Reader], Any], what: str) -> Callable[[bytes], Any]:
    def decode(octets: bytes) -> Any:
        reader = Reader(octets)
        value = read(reader)
        reader.finish(what)
        return value

    return decode


def _items(items: Any) -> bytes:
    out = bytearray()
    descriptors.write_items(out, items)
    return bytes(out)


def _selections() -> Iterable[bytes]:
    for number, parameters in enumerate(samples()):
        selection = descriptors.SelectiveAccess(number % 4, parameters)
        yield _items(((_ATTRIBUTE, selection),))
    yield _items(((_ATTRIBUTE, None),) * 3)


def _initiates(tag: int) -> Callable[[], Iterable[bytes]]:
    def seeds() -> Iterable[bytes]:
        yield from sources.vectors("xdlms", "ciphered", begin=bytes((tag,)))
        if tag == 0x01:
            request = InitiateRequest(Conformance.GET, 1200, bytes(range(16)), False, 5)
            yield request.encode()
        else:
            yield InitiateResponse(Conformance.GET, 1200).encode()

    return seeds


def _words() -> Iterable[bytes]:
    yield from words.apdus()
    yield from words.codes(
        codes.DataAccessResult, codes.ActionResult, codes.StateError, codes.ServiceErrorCode
    )


HARNESSES = (
    Harness(
        name="xdlms.apdu",
        takes="one plain APDU of any kind",
        play=_apdu,
        seeds=apdu_seeds,
        words=_words,
        structure=Structure(read=registry.decode, write=_encode),
    ),
    Harness(
        name="xdlms.initiate-request",
        takes="an InitiateRequest, with its dedicated key in clear",
        play=_initiate,
        seeds=_initiates(0x01),
        words=_words,
        structure=_tagged(InitiateRequest),
        most=512,
    ),
    Harness(
        name="xdlms.initiate-response",
        takes="an InitiateResponse",
        play=laws.codec(InitiateResponse.decode, InitiateResponse.encode, _ERRORS),
        seeds=_initiates(0x08),
        words=_words,
        structure=_tagged(InitiateResponse),
        most=512,
    ),
    Harness(
        name="xdlms.selective-access",
        takes="a list of attributes, each with its selective access",
        play=laws.codec(
            _whole(descriptors.read_items, "attribute-descriptor-list"), _items, _ERRORS
        ),
        seeds=_selections,
        words=_words,
        structure=Structure(
            read=_whole(descriptors.read_items, "attribute-descriptor-list"), write=_items
        ),
    ),
    Harness(
        name="xdlms.general-block",
        takes="a general-block-transfer APDU",
        play=laws.codec(general_block.decode, general_block.GeneralBlock.encode, _ERRORS),
        seeds=lambda: sources.vectors("gbt", begin=b"\xe0"),
        words=_words,
        structure=Structure(read=general_block.decode, write=general_block.GeneralBlock.encode),
    ),
)
