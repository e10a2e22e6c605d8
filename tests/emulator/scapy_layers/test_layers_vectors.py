"""Layers and ``dlms`` see the same in every vector, and build the same octets from it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.axdr import decode
from dlms.errors import CodecError
from dlms.framing.hdlc.control import decode_control
from dlms.framing.hdlc.frame import Frame, decode_frame
from dlms.security.ciphered import decode_ciphered
from dlms.security.general_ciphering import decode_general_ciphering
from dlms.security.general_signing import decode_general_signing
from dlms.xdlms import registry
from emulator.client.keys import Keys
from emulator.decoding.quiet import quiet
from emulator.scapy_layers import Apdu, CosemData, HdlcFrame, HdlcFrames, Wpdu, use_keys
from emulator.scapy_layers.hdlc import address

with quiet():
    from scapy.config import conf
    from scapy.packet import Raw

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
ACSE: dict[str, Any] = {"AARQ": Aarq, "AARE": Aare, "RLRQ": Rlrq, "RLRE": Rlre}


def _load(*names: str, kind: str | None = None) -> list[Any]:
    return [
        pytest.param(one, id=one["name"])
        for name in names
        for one in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        if kind is None or one.get("kind") == kind
    ]


def _whole(layer: Any, octets: bytes) -> None:
    assert not layer.haslayer("Raw"), layer.show(dump=True)
    assert not layer.haslayer("Padding"), layer.show(dump=True)
    assert bytes(layer) == octets


@pytest.mark.parametrize("vector", _load("xdlms", "blocks", "services", "gbt"))
def test_xdlms(vector: dict[str, Any], layering: SimpleNamespace) -> None:
    octets = bytes.fromhex(vector["hex"])
    layer = Apdu(octets)
    _whole(layer, octets)
    assert layering.core(layer) == registry.decode(octets)
    assert bytes(layering.anew(layer)) == registry.decode(octets).encode() == octets


@pytest.mark.parametrize("vector", _load("acse"))
def test_acse(
    vector: dict[str, Any], layering: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some have user-information that is no APDU: it stays octets.
    monkeypatch.setattr(conf, "debug_dissector", False)
    octets = bytes.fromhex(vector["hex"])
    layer = Apdu(octets)
    assert bytes(layer) == octets
    assert layering.core(layer) == ACSE[vector["apdu"]].decode(octets)
    assert bytes(layering.anew(layer)) == octets


@pytest.mark.parametrize("vector", _load("axdr", kind="data") + _load("axdr", kind="compact-array"))
def test_data(vector: dict[str, Any], layering: SimpleNamespace) -> None:
    octets = bytes.fromhex(vector["hex"])
    layer = CosemData(octets)
    _whole(layer, octets)
    assert layering.data(layer) == decode(octets)
    assert bytes(layering.anew(layer)) == octets


@pytest.mark.parametrize("vector", _load("ciphered") + _load("suites", kind="ciphered"))
def test_ciphered(vector: dict[str, Any], layering: SimpleNamespace) -> None:
    octets = bytes.fromhex(vector["hex"])
    layer, found = Apdu(octets), decode_ciphered(octets)
    assert bytes(layer) == octets == bytes(layering.anew(layer))
    assert (layer.security_control, layer.invocation_counter) == (found.control, found.counter)
    tag = layer.authentication_tag if layer.authenticated else b""
    assert layer.content + tag == found.body
    if found.title is not None:
        assert layer.system_title == found.title
    if "ek" not in vector:
        return
    keys = {"the": Keys(guek=bytes.fromhex(vector["ek"]), gak=bytes.fromhex(vector["ak"]))}
    use_keys(keys, [vector["title"]])
    opened = Apdu(octets)
    plaintext = bytes.fromhex(vector["plaintext"])
    assert bytes(opened.payload) == plaintext
    assert bytes(opened) == octets
    made = type(opened)(
        **{name: opened.getfieldval(name) for name in ("encrypted", "authenticated")},
        security_suite=opened.security_suite,
        invocation_counter=opened.invocation_counter,
        **({} if found.title is None else {"system_title": found.title}),
    )
    assert bytes(made / Apdu(plaintext)) == octets


@pytest.mark.parametrize("vector", _load("agreement", kind="general-ciphering"))
def test_general_ciphering(vector: dict[str, Any], layering: SimpleNamespace) -> None:
    octets = bytes.fromhex(vector["hex"])
    layer, found = Apdu(octets), decode_general_ciphering(octets)
    assert bytes(layer) == octets == bytes(layering.anew(layer))
    assert found.header == (
        layer.transaction_id,
        layer.originator_system_title,
        layer.recipient_system_title,
        layer.date_time,
        layer.other_information,
    )
    secrets = {
        name: bytes.fromhex(vector[there])
        for name, there in (
            ("kek", "kek"), ("gak", "ak"), ("agreement_key", "private"),
            ("peer_agreement_public", "peer"),
        )
        if there in vector
    }  # fmt: skip
    name = {"UNICAST": "guek", "BROADCAST": "gbek"}.get(vector["choice"])
    if name:
        secrets[name] = bytes.fromhex(vector["ek"])
    use_keys({"the": Keys(**secrets)})
    opened = Apdu(octets)
    assert bytes(opened.payload).hex().upper() == vector["plaintext"]
    assert opened.opened().verified is (True if opened.authenticated else None)
    if name:
        again = layering.anew(opened)
        del again.fields["content"]
        again.fields.pop("authentication_tag", None)
        assert bytes(again) == octets


@pytest.mark.parametrize("vector", _load("signing", kind="general-signing"))
def test_general_signing(vector: dict[str, Any], layering: SimpleNamespace) -> None:
    octets = bytes.fromhex(vector["hex"])
    layer, found = Apdu(octets), decode_general_signing(octets)
    _whole(layer, octets)
    assert bytes(layer.content) == found.content
    assert layer.signature == found.signature
    assert bytes(layering.anew(layer)) == octets


@pytest.mark.parametrize("vector", _load("hdlc", kind="frame"))
def test_frames(
    vector: dict[str, Any], layering: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some have only a part of an APDU: it stays octets.
    monkeypatch.setattr(conf, "debug_dissector", False)
    octets = bytes.fromhex(vector["hex"])
    layer = HdlcFrame(octets)
    found = decode_frame(octets[1:-1])
    assert isinstance(found, Frame)
    assert bytes(layer) == octets
    assert layer.right
    assert address(layer.destination) == found.destination
    assert address(layer.source) == found.source
    assert decode_control(bytes(layer.control)[0]) == found.control
    assert bool(layer.segmented) is found.segmented
    assert bytes(layer.information or b"") == found.information
    anew = layering.anew(layer)
    del anew.length, anew.hcs, anew.fcs
    assert bytes(anew) == octets


@pytest.mark.parametrize("vector", _load("wrapper"))
def test_wrapper(vector: dict[str, Any], layering: SimpleNamespace) -> None:
    octets = bytes.fromhex(vector["hex"])
    layer = Wpdu(octets)
    _whole(layer, octets)
    want = vector["expected"]
    assert (layer.source_wport, layer.destination_wport) == (want["source"], want["destination"])
    assert bytes(layer.payload).hex().upper() == want["apdu"]
    anew = layering.anew(layer)
    del anew.length
    assert bytes(anew) == octets


def test_frames_behind_each_other_share_flags() -> None:
    one = bytes.fromhex(_load("hdlc", kind="frame")[0].values[0]["hex"])
    stream = one + one[1:] + b"\x7e\x7e" + one
    frames = HdlcFrames(stream)
    assert [frame.opening for frame in frames.frames] == [b"\x7e", b"", b"\x7e" * 3]
    assert bytes(frames) == stream


REFUSED = _load("axdr", kind="refused")


@pytest.mark.parametrize("vector", REFUSED)
def test_what_dlms_refuses_is_never_taken_for_whole(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scapy does not refuse. It shows what it can, and gives back the octets as they were."""
    monkeypatch.setattr(conf, "debug_dissector", False)
    octets = bytes.fromhex(vector["hex"])
    with pytest.raises(CodecError):
        decode(octets)
    try:
        layer = CosemData(octets)
    except Exception:
        layer = Raw(octets)
    assert bytes(layer) == octets
