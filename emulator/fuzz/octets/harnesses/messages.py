"""What programs and people tell the emulator: requests, signed documents, and names in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from dlms.cosem import obis
from emulator.conformance.catalogue.applicability import ExpressionError
from emulator.conformance.catalogue.applicability import parse as parse_applicability
from emulator.control import ControlError
from emulator.control import lines as control
from emulator.fuzz.octets import laws, words
from emulator.fuzz.octets.harness import Harness, Outcome, Structure, Unlawful
from emulator.fuzz.octets.harnesses.files import JSON, json_file
from emulator.mqtt import requests as mqtt
from emulator.policy.words import parse_key
from emulator.requests.canonical import DocumentError, encode
from emulator.requests.documents import (
    Authorisation,
    CountersignedRequest,
    ServiceRequest,
    SignedRequest,
)
from emulator.serving.pushing import parse_address

_REQUEST = ServiceRequest(
    originator=bytes(range(8)), device=bytes(range(8, 16)), counter=7, variant="2.2",
    arguments={"amount": "5.00"},
)  # fmt: skip
_SIGNED = SignedRequest(request=_REQUEST, signature=bytes(64))
_CANONICAL = Structure(read=JSON.read, write=encode)


def _signed(
    name: str, takes: str, kind: Any, seed: SignedRequest | CountersignedRequest | Authorisation
) -> Harness:
    decode: Callable[[bytes], Any] = kind.from_octets
    return Harness(
        name=f"messages.{name}",
        takes=takes,
        play=laws.codec(decode, kind.to_octets, (DocumentError,), canonical=True),
        seeds=lambda: (seed.to_octets(), *words.deep_json()),
        words=words.json,
        structure=_CANONICAL,
        is_text=True,
        most=20_000,
        work=400,
    )


def _control(octets: bytes) -> Outcome:
    """A line that is a request has the name that is said in its answer."""
    name = control.id_of(octets)
    try:
        found = control.request(octets)
    except ControlError as error:
        control.refusal(name, error)
        return Outcome.REFUSED
    if found.id != name:
        raise Unlawful("an answer has the name of its request", f"{found.id!r}, {name!r}")
    control.answer(found.id, dict(found.arguments))
    return Outcome.TAKEN


def _obis(text: str) -> bytes:
    instance = obis.parse(text)
    if obis.parse(obis.text(instance)) != instance:
        raise Unlawful("a name is that of its octets", text)
    return instance


_NAMES: tuple[tuple[str, Callable[[str], Any], laws.Errors, tuple[str, ...]], ...] = (
    ("obis", _obis, (ValueError,), ("1-0:1.8.0.255", "1.8.0", "0.0.1.0.0.255", "0-0:96.1.0*255")),
    ("address", parse_address, (ValueError,), ("127.0.0.1:4059", "[::1]:1", "meter.example:65535")),
    ("key-use", parse_key, (ValueError,), ("GUEK:long-lived", "dedicated")),
    (
        "applicability",
        partial(parse_applicability, flags=("a", "hdlc.ui"), numbers=("suite",)),
        (ExpressionError,),
        ("a and not (hdlc.ui or suite >= 1)",),
    ),
)


def _names(
    name: str, read: Callable[[str], Any], errors: laws.Errors, seeds: tuple[str, ...]
) -> Harness:
    return Harness(
        name=f"messages.{name}",
        takes=f"text: {seeds[0]}",
        play=laws.text(read, errors),
        seeds=lambda: words.texts(others=seeds),
        words=lambda: words.texts(others=(*"()<>=-:.*[] ", " and ", " or ", "not ", *seeds)),
        is_text=True,
        most=4096,
    )


def _control_lines() -> Iterable[bytes]:
    yield b'{"id": 1, "action": "power", "meter": "itron", "arguments": {"what": "off"}}'
    yield b'{"action": "status"}'


HARNESSES = (
    _signed("signed-request", "a Service Request, signed", SignedRequest, _SIGNED),
    _signed(
        "countersigned-request", "a Service Request, countersigned", CountersignedRequest,
        CountersignedRequest(signed=_SIGNED, countersignature=bytes(64)),
    ),
    _signed(
        "authorisation", "an S1SP's authorisation", Authorisation,
        Authorisation(digest=bytes(32), device=bytes(8), signature=bytes(64)),
    ),
    json_file(
        "messages.control", "a line of the control socket", _control, _control_lines,
        lambda: words.texts(control.RequestLine._fields),
    ),
    json_file(
        "messages.mqtt", "a request over MQTT",
        laws.reader(partial(mqtt.read, "power"), (ControlError,)),
        lambda: (b'{"meter": "itron", "arguments": {"what": "off"}}',),
        lambda: words.texts(others=("meter", "arguments")),
    ),
    *(_names(*row) for row in _NAMES),
)  # fmt: skip
