"""Ciphered APDUs, HLS and primitives, run by the software module with the keys of the vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.errors import CodecError
from dlms.security.ciphered import Family, Form, decode_ciphered, encode_ciphered
from dlms.security.control import Protection
from dlms.security.counters import CounterTooLow, InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Open, Seal, Unwrap, Use, VerificationFailed, Wrap
from dlms.security.protect import SecurityContext, Shape, open_ciphered, protect
from dlms.xdlms.initiate import InitiateRequest, compose
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
HOLDER = b"MTR\0\0\0\0\1"
GUEK = KeyRef(HOLDER, "vector", KeyKind.GUEK)
GAK = KeyRef(HOLDER, "vector", KeyKind.GAK)
KEK = KeyRef(HOLDER, "vector", KeyKind.KEK)
DEDICATED = KeyRef(HOLDER, "vector", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION)
OTHER_TITLE = b"XXX\0\0\0\0\0"


def load(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return entries


def name_of(entry: dict[str, Any]) -> str:
    name: str = entry["name"]
    return name


CIPHERED = load("ciphered")
KEYED = [entry for entry in CIPHERED if "ek" in entry]


class Setting:
    """The keys of a vector in a module, and the contexts of both parties."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.keys = KeyRing()
        self.keys.keep(GUEK, bytes.fromhex(entry["ek"]))
        self.keys.keep(GAK, bytes.fromhex(entry["ak"]))
        self.execute = SoftwareModule(self.keys).execute
        self.title = bytes.fromhex(entry["title"])
        self.counter = int(entry["counter"], 16)
        self.octets = bytes.fromhex(entry.get("hex", ""))
        self.plaintext = bytes.fromhex(entry.get("plaintext", ""))
        self.protection = Protection(int(entry.get("control", "10"), 16))

    def context(self, own: bytes, peer: bytes | None) -> SecurityContext:
        return SecurityContext(
            suite=0,
            own_title=own,
            peer_title=peer,
            counters=InvocationCounters(),
            guek=GUEK,
            gak=GAK,
        )

    @property
    def sender(self) -> SecurityContext:
        context = self.context(self.title, OTHER_TITLE)
        context.counters.raise_to(GUEK, self.counter)
        return context

    @property
    def receiver(self) -> SecurityContext:
        return self.context(OTHER_TITLE, self.title)

    @property
    def shape(self) -> Shape:
        form = Form.GENERAL if self.octets[0] == 0xDB else Form.SERVICE
        return Shape(Family.GLOBAL, form, self.protection)


@pytest.mark.parametrize("entry", CIPHERED, ids=name_of)
def test_layout(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    ciphered = decode_ciphered(octets)
    assert ciphered.control == int(entry["control"], 16)
    assert ciphered.counter == int(entry["counter"], 16)
    assert ciphered.title in (None, bytes.fromhex(entry["title"]))
    again = encode_ciphered(
        ciphered.plain_tag or 0,
        ciphered.family,
        ciphered.form,
        ciphered.control,
        ciphered.counter,
        ciphered.body,
        ciphered.title or b"",
    )
    assert again == octets
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            decode_ciphered(octets[:cut])


@pytest.mark.parametrize("entry", KEYED, ids=name_of)
def test_protect(entry: dict[str, Any]) -> None:
    setting = Setting(entry)
    step = protect(setting.sender, setting.plaintext, setting.shape, Use.PROTECT_REQUEST)
    assert run(step, setting.execute) == setting.octets


@pytest.mark.parametrize("entry", KEYED, ids=name_of)
def test_open(entry: dict[str, Any]) -> None:
    setting = Setting(entry)
    receiver = setting.receiver
    opened = run(open_ciphered(receiver, setting.octets, Use.OPEN_REQUEST), setting.execute)
    assert opened.apdu == setting.plaintext
    assert opened.protection == setting.protection
    assert (opened.counter, opened.floor_before) == (setting.counter, 0)
    assert receiver.counters.floor(GUEK) == setting.counter + 1
    with pytest.raises(CounterTooLow):
        run(open_ciphered(receiver, setting.octets, Use.OPEN_REQUEST), setting.execute)


@pytest.mark.parametrize("entry", KEYED, ids=name_of)
def test_cut_anywhere(entry: dict[str, Any]) -> None:
    """Cut bare, and cut with a length that fits again."""
    setting = Setting(entry)
    octets = setting.octets
    receiver = setting.receiver
    head = 10 if octets[0] == 0xDB else 1
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            run(open_ciphered(receiver, octets[:cut], Use.OPEN_REQUEST), setting.execute)
        if cut > head and setting.protection & Protection.AUTHENTICATED:
            shorter = octets[:head] + bytes((cut - head - 1,)) + octets[head + 1 : cut]
            with pytest.raises((CodecError, VerificationFailed)):
                run(open_ciphered(receiver, shorter, Use.OPEN_REQUEST), setting.execute)
    assert receiver.counters.floor(GUEK) == 0


@pytest.mark.parametrize(
    "entry", [entry for entry in KEYED if entry["control"] != "20"], ids=name_of
)
def test_every_flipped_bit(entry: dict[str, Any]) -> None:
    """Without a tag a flipped bit is a flipped bit; the next test shows it."""
    setting = Setting(entry)
    receiver = setting.receiver
    for position in range(len(setting.octets)):
        for bit in range(8):
            broken = bytearray(setting.octets)
            broken[position] ^= 1 << bit
            step = open_ciphered(
                receiver, bytes(broken), Use.OPEN_REQUEST, required=setting.protection
            )
            with pytest.raises((CodecError, VerificationFailed, CounterTooLow)):
                run(step, setting.execute)
    assert receiver.counters.floor(GUEK) == 0


def test_without_a_tag_a_flipped_bit_goes_through() -> None:
    """KL-PR-08: the weakness of encryption alone, and why policies ask for a tag."""
    setting = Setting(KEYED[0])
    broken = setting.octets[:-1] + bytes((setting.octets[-1] ^ 1,))
    opened = run(open_ciphered(setting.receiver, broken, Use.OPEN_REQUEST), setting.execute)
    assert opened.apdu == setting.plaintext[:-1] + bytes((setting.plaintext[-1] ^ 1,))


def test_dedicated_key_by_reference() -> None:
    """The worked example, made without its key passing through the core."""
    entry = next(e for e in KEYED if "dedicated" in e["name"])
    setting = Setting(entry)
    request = InitiateRequest.decode(setting.plaintext)
    assert request.dedicated_key is not None
    setting.keys.keep(DEDICATED, request.dedicated_key)
    parts = compose(request, DEDICATED)
    assert request.dedicated_key not in b"".join(p for p in parts if isinstance(p, bytes))
    step = protect(setting.sender, parts, setting.shape, Use.ASSOCIATION)
    assert run(step, setting.execute) == setting.octets
    setting.keys.discard(DEDICATED)
    step = open_ciphered(setting.receiver, setting.octets, Use.ASSOCIATION, DEDICATED)
    opened = run(step, setting.execute)
    assert setting.keys.get(DEDICATED) == request.dedicated_key
    assert request.dedicated_key not in opened.apdu
    assert InitiateRequest.decode(opened.apdu).dedicated_key == bytes(16)


def test_key_wrap() -> None:
    entry = next(e for e in load("primitives") if e["kind"] == "wrap")
    keys = KeyRing()
    keys.keep(KEK, bytes.fromhex(entry["kek"]))
    keys.keep(GUEK, bytes.fromhex(entry["key"]))
    execute = SoftwareModule(keys).execute
    wrapped = bytes.fromhex(entry["wrapped"])
    assert execute(Wrap(Use.TRANSFER_KEY, KEK, GUEK)) == wrapped
    execute(Unwrap(Use.TRANSFER_KEY, KEK, wrapped, DEDICATED))
    assert keys.get(DEDICATED) == keys.get(GUEK)
    for broken in (b"", wrapped[:-1], wrapped[:16], wrapped[:-1] + b"\0", wrapped + bytes(8)):
        with pytest.raises(VerificationFailed):
            execute(Unwrap(Use.TRANSFER_KEY, KEK, broken, GAK))


def test_gcm() -> None:
    """The published case, put through the module: its additional data are SC and AK to us."""
    entry = next(e for e in load("primitives") if e["kind"] == "gcm")
    keys = KeyRing()
    iv, aad = bytes.fromhex(entry["iv"]), bytes.fromhex(entry["aad"])
    keys.keep(GUEK, bytes.fromhex(entry["key"]))
    keys.keep(GAK, aad[1:])
    execute = SoftwareModule(keys).execute
    sealed = bytes.fromhex(entry["ciphertext"]) + bytes.fromhex(entry["tag"])[:12]
    counter = int.from_bytes(iv[8:], "big")
    plaintext = bytes.fromhex(entry["plaintext"])
    seal = Seal(Use.PROTECT_REQUEST, GUEK, GAK, aad[0], iv[:8], counter, plaintext)
    assert execute(seal) == sealed
    assert execute(Open(Use.OPEN_REQUEST, GUEK, GAK, aad[0], iv[:8], counter, sealed)) == plaintext
