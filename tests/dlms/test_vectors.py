"""Vectors with a source: xDLMS APDUs, data, wrapper (see fixtures/vectors/SOURCES.md)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.axdr import CosemDateTime, Data, DataType, decode, encode
from dlms.errors import CodecError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.xdlms import registry
from dlms.xdlms.access import AccessAction, AccessGet, AccessResult, AccessService, AccessSet
from dlms.xdlms.action import MethodResult
from dlms.xdlms.block import Block
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
from dlms.xdlms.initiate import InitiateRequest
from dlms.xdlms.read import BlockTaken
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
)

FOLDER = Path(__file__).parents[2] / "fixtures" / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return entries


def name_of(entry: dict[str, Any]) -> str:
    name: str = entry["name"]
    return name


SERVICES = load("services") + load("gbt")
XDLMS = load("xdlms") + load("blocks") + SERVICES
DATA = [entry for entry in load("axdr") if entry["kind"] == "data"]
MOMENTS = [entry for entry in load("axdr") if entry["kind"] == "date-time"]

APDUS: dict[str, Any] = {apdu.__name__: apdu for apdu in get_args(registry.Apdu)}
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


def descriptor(form: dict[str, Any]) -> Any:
    kind = AttributeDescriptor if "attribute" in form else MethodDescriptor
    index = form["attribute" if "attribute" in form else "method"]
    return kind(form["class_id"], bytes.fromhex(form["instance"]), index)


def selection(form: dict[str, Any] | None) -> SelectiveAccess | None:
    return form and SelectiveAccess(form["selector"], data(form["parameters"]))


def result(apdu: str, form: Any) -> Any:
    """A code by its name, a Data, the octets of a block, or a code with what was returned."""
    if isinstance(form, str):
        return (ActionResult if apdu == "ActionResponse" else DataAccessResult)[form]
    if isinstance(form, dict) and "raw" in form:
        return bytes.fromhex(form["raw"])
    if isinstance(form, dict):
        returned = form.get("returned")
        return MethodResult(ActionResult[form["result"]], returned and result("", returned))
    return data(form) if isinstance(form, list) else form


def field(apdu: str, name: str, value: Any) -> Any:
    if name in CODES:
        return CODES[name][value]
    if name in ("attribute", "method"):
        return descriptor(value)
    if name == "items":
        return tuple((descriptor(item), selection(item.get("selection"))) for item in value)
    if name == "methods":
        return tuple(descriptor(item) for item in value)
    if name in ("values", "parameters"):
        return tuple(data(item) for item in value)
    if name == "results":
        return tuple(result(apdu, item) for item in value)
    if name == "block":
        return Block(value["last"], value["number"], bytes.fromhex(value["raw"]))
    if name == "selection":
        return selection(value)
    if name == "conformance":
        return Conformance(int(value, 16))
    if name == "dedicated_key":
        return bytes.fromhex(value)
    if name == "result":
        return result(apdu, value)
    return data(value) if isinstance(value, list) else value


def short_block(form: dict[str, Any]) -> ShortBlock:
    return ShortBlock(form["last"], form["number"], bytes.fromhex(form["raw"]))


def specification(form: dict[str, Any]) -> Any:
    """One line of an ACCESS, or a Variable-Access-Specification: the keys tell which."""
    if "action" in form:
        return AccessAction(method=descriptor(form["action"]))
    if "get" in form or "set" in form:
        kind, key = (AccessGet, "get") if "get" in form else (AccessSet, "set")
        return kind(attribute=descriptor(form[key]), selection=selection(form.get("selection")))
    if "read_block" in form:
        return ReadDataBlockAccess(block=short_block(form["read_block"]))
    if "write_block" in form:
        return WriteDataBlockAccess(**form["write_block"])
    if "parameter" in form:
        return ParameterizedAccess(**{**form, "parameter": data(form["parameter"])})
    return VariableName(**form) if "name" in form else BlockNumberAccess(**form)


def service_result(form: Any) -> Any:
    """A result of ACCESS, Read or Write."""
    if isinstance(form, list):
        service = AccessService[form[0]]
        codes = ActionResult if service is AccessService.ACTION else DataAccessResult
        return AccessResult(service, codes[form[1]])
    if isinstance(form, str):
        return DataAccessResult[form]
    ((key, value),) = form.items()
    if key == "taken":
        return BlockTaken(number=value)
    if key == "block":
        return short_block(value)
    return data(value) if key == "data" else DataAccessResult[value]


def service_field(apdu: str, name: str, value: Any) -> Any:
    if name in ("date_time", "time") or (apdu, name) == ("GeneralBlock", "data"):
        return bytes.fromhex(value)
    if name == "specifications":
        return tuple(specification(item) for item in value)
    if name == "results":
        return tuple(service_result(item) for item in value)
    if name == "data":
        return tuple(data(item) for item in value)
    if name == "attribute":
        return descriptor(value)
    return data(value) if isinstance(value, list) else value


SERVICE_APDUS = {entry["apdu"] for entry in SERVICES}


def expected(entry: dict[str, Any]) -> Any:
    apdu = entry["apdu"]
    read = service_field if apdu in SERVICE_APDUS else field
    return APDUS[apdu](
        **{name: read(apdu, name, value) for name, value in entry["expected"].items()}
    )


@pytest.mark.parametrize("entry", XDLMS, ids=name_of)
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
    entries = XDLMS + load("acse")
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
    assert len(files) >= 8
    for path in files:
        entries = load(path.stem)
        assert all(entry["source"] and entry["name"] for entry in entries), path
        assert len({entry["name"] for entry in entries}) == len(entries), path
