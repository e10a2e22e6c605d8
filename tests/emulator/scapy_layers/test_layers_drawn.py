"""Layers and ``dlms`` agree on whatever is drawn; fuzzing gives octets that can be sent."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dlms.acse import Aare, Aarq
from dlms.axdr import encode
from dlms.framing import Wpdu as CoreWpdu
from emulator import scapy_layers
from emulator.decoding.quiet import quiet
from emulator.scapy_layers import Apdu, CosemData, HdlcFrame, Wpdu, seeds
from emulator.scapy_layers.apdu import LAYERS

with quiet():
    from scapy.config import conf
    from scapy.packet import Packet, fuzz

TESTS = Path(__file__).parents[2]


def _module(path: str) -> ModuleType:
    spec = spec_from_file_location(f"drawn_{Path(path).stem}", TESTS / path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAWN = _module("dlms/test_properties.py")
DRAWN_ACSE = _module("dlms/acse/test_acse_properties.py")
FEW = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(DRAWN.DATA)
def test_drawn_data(layering: SimpleNamespace, value: Any) -> None:
    layer = CosemData(encode(value))
    assert layering.data(layer) == value
    assert bytes(layering.anew(layer)) == encode(value)


@FEW
@given(DRAWN.APDU)
def test_drawn_apdus(layering: SimpleNamespace, value: Any) -> None:
    layer = Apdu(value.encode())
    assert layering.core(layer) == value
    assert bytes(layering.anew(layer)) == value.encode()
    framed = CoreWpdu(1, 2, value.encode()).encode()
    assert bytes(layering.anew(Wpdu(framed))) == framed


@FEW
@given(DRAWN_ACSE.AARQ | DRAWN_ACSE.AARE)
def test_drawn_associations(layering: SimpleNamespace, value: Aarq | Aare) -> None:
    conf.debug_dissector = False  # what is drawn as user-information is no APDU
    octets = value.encode()
    layer = Apdu(octets)
    assert bytes(layer) == octets
    assert type(layer).__name__ == type(value).__name__.upper()


def _layers() -> list[type[Packet]]:
    found = {getattr(scapy_layers, name) for name in scapy_layers.__all__}
    kinds = [one for one in found if isinstance(one, type)]
    return sorted(kinds, key=lambda kind: kind.__name__)


FIXED = (
    scapy_layers.HdlcFrames,
    scapy_layers.InformationReport,
    scapy_layers.UnconfirmedWriteRequest,
    scapy_layers.WriteRequest,
    scapy_layers.WriteResponse,
    scapy_layers.ReadRequest,
    scapy_layers.ReadResponse,
    scapy_layers.RLRQ,
    scapy_layers.RLRE,
)
"""Nothing but lists and what may be absent: scapy draws what is there by default, and no more."""


@pytest.mark.parametrize("kind", _layers(), ids=lambda kind: kind.__name__)
def test_fuzzing_gives_octets(kind: type[Packet], monkeypatch: pytest.MonkeyPatch) -> None:
    # What is drawn need not hang together, and so need not be taken apart to its end.
    monkeypatch.setattr(conf, "debug_dissector", False)
    several = {bytes(fuzz(kind())) for _ in range(20)}
    for octets in several if kind is not Apdu else ():
        assert bytes(kind(octets)) == octets
    if kind not in FIXED:
        assert len(several) > 1


@pytest.mark.parametrize("kind", sorted(set(LAYERS.values()), key=str), ids=lambda k: k.__name__)
def test_fuzzing_leaves_a_layer_what_it_is(kind: type[Packet]) -> None:
    for _ in range(5):
        octets = bytes(fuzz(kind()))
        assert Apdu.dispatch_hook(octets) is kind


def test_fuzzed_frames_keep_their_check_sequences_right() -> None:
    for _ in range(20):
        assert HdlcFrame(bytes(fuzz(HdlcFrame()))).right


def test_seeds_are_the_same_every_time_and_are_what_they_are_called() -> None:
    first = dict(seeds())
    assert first == dict(seeds())
    assert len(first) == len(list(seeds())) >= 100
    for name, octets in first.items():
        kind = {"data": CosemData, "hdlc": HdlcFrame, "wrapper": Wpdu}.get(name.split("-")[0], Apdu)
        assert bytes(kind(octets)) == octets, name
