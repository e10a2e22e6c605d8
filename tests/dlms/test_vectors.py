"""Vectors with a source: xDLMS APDUs, data, wrapper (see fixtures/vectors/SOURCES.md)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.axdr import CosemDateTime, Data, DataType, decode, encode
from dlms.errors import CodecError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import (
    ActionResult,
    DataAccessResult,
    ErrorClass,
    ErrorService,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.set import SetRequest, SetResponse

FOLDER = Path(__file__).parents[2] / "fixtures" / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return entries


def name_of(entry: dict[str, Any]) -> str:
    name: str = entry["name"]
    return name


XDLMS = load("xdlms")
GOOD = [entry for entry in XDLMS if entry["apdu"] != "refused"]
REFUSED = [entry for entry in XDLMS if entry["apdu"] == "refused"]
DATA = [entry for entry in load("axdr") if entry["kind"] == "data"]
MOMENTS = [entry for entry in load("axdr") if entry["kind"] == "date-time"]

APDUS: dict[str, Any] = {
    apdu.__name__: apdu
    for apdu in (
        InitiateRequest,
        InitiateResponse,
        GetRequest,
        GetResponse,
        SetRequest,
        SetResponse,
        ActionRequest,
        ActionResponse,
        ConfirmedServiceError,
        ExceptionResponse,
    )
}
CODES: dict[str, Any] = {
    "service": ErrorService,
    "error_class": ErrorClass,
    "state_error": StateError,
    "service_error": ServiceErrorCode,
}


def data(form: list[Any]) -> Data:
    """``[type, value]`` as written in the vectors."""
    kind, value = DataType[form[0]], form[1]
    if kind in (DataType.ARRAY, DataType.STRUCTURE):
        return Data(kind, tuple(data(element) for element in value))
    if kind in (DataType.OCTET_STRING, DataType.DATE, DataType.TIME, DataType.DATE_TIME):
        return Data(kind, bytes.fromhex(value))
    return Data(kind, value)


def field(apdu: str, name: str, value: Any) -> Any:
    if name in CODES:
        return CODES[name][value]
    if name in ("attribute", "method"):
        descriptor = AttributeDescriptor if name == "attribute" else MethodDescriptor
        return descriptor(value["class_id"], bytes.fromhex(value["instance"]), value[name])
    if name == "selection":
        return SelectiveAccess(value["selector"], data(value["parameters"]))
    if name == "conformance":
        return Conformance(int(value, 16))
    if name == "dedicated_key":
        return bytes.fromhex(value)
    if name == "result" and isinstance(value, str):
        return (ActionResult if apdu == "ActionResponse" else DataAccessResult)[value]
    return data(value) if isinstance(value, list) else value


def expected(entry: dict[str, Any]) -> Any:
    apdu = entry["apdu"]
    return APDUS[apdu](
        **{name: field(apdu, name, value) for name, value in entry["expected"].items()}
    )


@pytest.mark.parametrize("entry", GOOD, ids=name_of)
def test_xdlms_both_ways(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    decoded = registry.decode(octets)
    assert decoded == expected(entry)
    assert type(decoded) is APDUS[entry["apdu"]]
    assert expected(entry).encode() == octets


@pytest.mark.parametrize("entry", XDLMS, ids=name_of)
def test_xdlms_cut_anywhere(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            registry.decode(octets[:cut])


@pytest.mark.parametrize("entry", REFUSED, ids=name_of)
def test_forms_that_are_not_offered(entry: dict[str, Any]) -> None:
    with pytest.raises(CodecError, match="not supported"):
        registry.decode(bytes.fromhex(entry["hex"]))


@pytest.mark.parametrize("entry", DATA, ids=name_of)
def test_data_both_ways(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    assert decode(octets) == data(entry["expected"])
    assert encode(data(entry["expected"])) == octets
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            decode(octets[:cut])


@pytest.mark.parametrize("entry", MOMENTS, ids=name_of)
def test_moments(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    value = CosemDateTime.from_octets(octets)
    moment = dt.datetime.fromisoformat(entry["expected"])
    assert value.to_datetime() == moment
    assert value.to_datetime().utcoffset() == moment.utcoffset()
    assert value.to_octets() == octets
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            CosemDateTime.from_octets(octets[:cut])


@pytest.mark.parametrize("entry", load("wrapper"), ids=name_of)
def test_wpdu(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    want = entry["expected"]
    wpdu = Wpdu(want["source"], want["destination"], bytes.fromhex(want["apdu"]))
    assert wpdu.encode() == octets
    assert octet_by_octet(octets) == [wpdu]


def test_the_wrapped_aarq() -> None:
    """Its InitiateRequest has the older tag of the conformance block."""
    aarq = Aarq.decode(bytes.fromhex(load("wrapper")[0]["expected"]["apdu"]))
    assert aarq.protocol_version == "1"
    assert aarq.user_information is not None
    initiate = InitiateRequest.decode(aarq.user_information)
    assert initiate.conformance == Conformance(0x181A20)
    assert initiate.client_max_receive_pdu_size == 0


def octet_by_octet(stream: bytes) -> list[Wpdu]:
    receiver = WrapperReceiver()
    found = []
    for octet in stream:
        receiver.receive(bytes((octet,)))
        while (wpdu := receiver.next_wpdu()) is not None:
            found.append(wpdu)
    assert receiver.pending == 0
    return found


def test_all_vectors_framed_and_fed_octet_by_octet() -> None:
    """All APDUs in one stream come out whole, in order, and decode as before."""
    acse: dict[str, Any] = {"AARQ": Aarq, "AARE": Aare, "RLRQ": Rlrq, "RLRE": Rlre}
    entries = GOOD + load("acse")
    apdus = [bytes.fromhex(entry["hex"]) for entry in entries]
    stream = b"".join(Wpdu(16, 1, apdu).encode() for apdu in apdus)
    found = octet_by_octet(stream)
    assert [wpdu.apdu for wpdu in found] == apdus
    for entry, wpdu in zip(entries, found, strict=True):
        codec = acse.get(entry["apdu"])
        value = registry.decode(wpdu.apdu) if codec is None else codec.decode(wpdu.apdu)
        assert value.encode() == wpdu.apdu


def test_every_vector_names_its_source() -> None:
    files = sorted(FOLDER.glob("*.json"))
    assert len(files) >= 7
    for path in files:
        entries = load(path.stem)
        assert all(entry["source"] and entry["name"] for entry in entries), path
        assert len({entry["name"] for entry in entries}) == len(entries), path
