"""Fields of ciphered and signed APDUs and of general blocks (GB Ed. 8, 9.2.7.2.4 and 9.5)."""

from __future__ import annotations

from collections.abc import Callable

from dlms.security.ciphered import GENERAL_TAGS, TAGS
from dlms.security.control import Protection
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.general_signing import GENERAL_SIGNING
from dlms.security.ops import TAG_LENGTH
from dlms.xdlms import general_block, registry
from emulator.decoding.fields.cutting import Cutter

Inner = Callable[[Cutter, int], None]

_HEADER = (
    "transaction-id",
    "originator-system-title",
    "recipient-system-title",
    "date-time",
    "other-information",
)


def is_ciphered(tag: int) -> bool:
    return tag in TAGS or tag in GENERAL_TAGS or tag == GENERAL_CIPHERING


def ciphered(cutter: Cutter, stop: int, inner: Inner) -> None:
    """From its tag to before ``stop``. What is ciphered stays so; what is only authenticated does
    not.
    """
    cutter.closed.append((cutter.position, stop))
    tag = cutter.take(1, "tag", _tag)[0]
    with cutter.deeper():
        _layers(cutter, tag, stop, inner)


def _layers(cutter: Cutter, tag: int, stop: int, inner: Inner) -> None:
    if tag == GENERAL_CIPHERING:
        _header(cutter)
        _key_info(cutter)
    elif tag in GENERAL_TAGS:
        cutter.string("system title")
    cutter.length("length of the ciphered content")
    control = cutter.take(1, "security control", _control)[0]
    cutter.take(4, "invocation counter")
    trailer = TAG_LENGTH if control & Protection.AUTHENTICATED else 0
    end = max(stop - trailer, cutter.position)
    if end > cutter.position:
        if control & Protection.ENCRYPTED:
            cutter.take(end - cutter.position, "ciphertext", _size)
        else:
            with cutter.deeper():
                inner(cutter, end)
    if trailer:
        cutter.take(min(trailer, stop - cutter.position), "authentication tag", bytes.hex)


def signed(cutter: Cutter, inner: Inner) -> None:
    """general-signing."""
    cutter.take(1, "tag", _tag)
    with cutter.deeper():
        _header(cutter)
        count = cutter.length("length of the content")
        with cutter.deeper():
            inner(cutter, min(cutter.position + count, cutter.reader.end))
        cutter.string("signature", _signature)


def block(cutter: Cutter) -> None:
    """general-block-transfer: of what its data are a piece cannot be told from it."""
    cutter.take(1, "tag", lambda _: "general-block-transfer")
    with cutter.deeper():
        cutter.take(1, "block control", _block_control)
        cutter.take(2, "block number")
        cutter.take(2, "acknowledged block number")
        cutter.string("block data", _size, secret=True)


def is_signed(tag: int) -> bool:
    return tag == GENERAL_SIGNING


def is_block(tag: int) -> bool:
    return tag == general_block.TAG


def _header(cutter: Cutter) -> None:
    for name in _HEADER:
        cutter.string(name)


def _key_info(cutter: Cutter) -> None:
    if not cutter.take(1, "key-info", lambda one: "present" if one[0] else "absent")[0]:
        return
    choice = cutter.take(1, "choice of key", number_of_choice)[0]
    if choice == 2:
        cutter.string("key-parameters")
    else:
        cutter.take(1, "key id" if choice == 0 else "kek id")
    if choice:
        cutter.string("key-ciphered-data", _size)


def number_of_choice(octets: bytes) -> str:
    return {0: "identified", 1: "wrapped", 2: "agreed"}.get(octets[0], "unknown")


def _tag(octets: bytes) -> str:
    tag = octets[0]
    if tag == GENERAL_CIPHERING:
        return "general-ciphering"
    if tag == GENERAL_SIGNING:
        return "general-signing"
    if tag in GENERAL_TAGS:
        return f"general-{GENERAL_TAGS[tag].value}-ciphering"
    family, plain = TAGS[tag]
    return f"{family.value}-{registry.BY_TAG[plain].name}"


def _control(octets: bytes) -> str:
    control = octets[0]
    parts = [f"suite {control & 0x0F}"]
    parts += ["authenticated"] if control & Protection.AUTHENTICATED else []
    parts += ["encrypted"] if control & Protection.ENCRYPTED else []
    parts += ["broadcast key"] if control & 0x40 else []
    parts += ["compressed"] if control & 0x80 else []
    return ", ".join(parts)


def _block_control(octets: bytes) -> str:
    control = octets[0]
    last, streaming = control & 0x80, control & 0x40
    return f"window {control & 0x3F}{', last' if last else ''}{', streaming' if streaming else ''}"


def _signature(octets: bytes) -> str:
    """R ‖ S; 64 octets are of P-256, and 96 of P-384."""
    curve = {64: "P-256", 96: "P-384"}.get(len(octets))
    if curve is None:
        return octets.hex()
    half = len(octets) // 2
    return f"ECDSA, {curve}: R {octets[:half].hex()}, S {octets[half:].hex()}"


def _size(octets: bytes) -> str:
    return f"{len(octets)} octets"
