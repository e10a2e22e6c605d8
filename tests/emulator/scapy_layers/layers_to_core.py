"""What layers of scapy say, as the values of ``dlms`` that say the same."""

from __future__ import annotations

from typing import Any

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.fields import AuthenticationValue, ValueChoice
from dlms.axdr import CompactArray, Data, DataType, TypeDescription
from dlms.xdlms import (
    access,
    action,
    data_notification,
    event_notification,
    general_block,
    get,
    information_report,
    read,
    write,
)
from dlms.xdlms import set as setting
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
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
)
from emulator.scapy_layers.acse import CONTEXT_OIDS, MECHANISM_OIDS

T = DataType


def core(layer: Any) -> Any:
    """The value of ``dlms`` for a layer of an APDU."""
    return _MAKERS[type(layer).__name__](layer)


def data(layer: Any) -> Data:
    kind = T(layer.type)
    if kind in (T.ARRAY, T.STRUCTURE):
        return Data(kind, tuple(map(data, layer.elements)))
    if kind is T.COMPACT_ARRAY:
        elements = tuple(map(data, layer.contents))
        return Data(kind, CompactArray(description(layer.description), elements))
    if kind in (T.NULL_DATA, T.DONT_CARE):
        return Data(kind, None)
    value = layer.value
    if kind is T.BOOLEAN:
        return Data(kind, value != 0)
    if kind is T.BIT_STRING:
        return Data(kind, value.decode())
    if kind is T.VISIBLE_STRING:
        return Data(kind, value.decode("latin-1"))
    if kind is T.UTF8_STRING:
        return Data(kind, value.decode())
    return Data(kind, value)


def description(layer: Any) -> TypeDescription:
    kind = T(layer.type)
    if kind is T.ARRAY:
        return TypeDescription(kind, layer.size, tuple(map(description, layer.elements)))
    if kind is T.STRUCTURE:
        fields = tuple(map(description, layer.elements))
        return TypeDescription(kind, len(fields), fields)
    return TypeDescription(kind)


def _invoke(layer: Any) -> int:
    found = layer.priority << 7 | layer.service_class << 6 | layer.invoke_reserved << 4
    return int(found | layer.invoke_id)


def _long_invoke(layer: Any) -> int:
    flags = layer.priority << 3 | layer.service_class << 2 | layer.processing_option << 1
    head = (flags | layer.self_descriptive) << 4 | layer.invoke_reserved
    return int(head << 24 | layer.invoke_id)


def _attribute(layer: Any) -> AttributeDescriptor:
    return AttributeDescriptor(layer.class_id, layer.instance_id, layer.attribute_id)


def _method(layer: Any) -> MethodDescriptor:
    return MethodDescriptor(layer.class_id, layer.instance_id, layer.method_id)


def _selection(layer: Any) -> SelectiveAccess | None:
    if not layer.has_selection:
        return None
    return SelectiveAccess(layer.selection.access_selector, data(layer.selection.access_parameters))


def _items(layer: Any) -> tuple[Any, ...]:
    return tuple((_attribute(one.attribute), _selection(one)) for one in layer.attributes)


def _block(layer: Any) -> Block:
    return Block(layer.last_block != 0, layer.block_number, layer.raw_data)


def _datas(layers: Any) -> tuple[Data, ...]:
    return tuple(map(data, layers))


def _result(layer: Any) -> Data | DataAccessResult:
    return DataAccessResult(layer.result) if layer.choice else data(layer.data)


def _returned(layer: Any) -> Any:
    return _result(layer.returned) if layer.has_returned else None


def _block_result(layer: Any) -> bytes | DataAccessResult:
    return DataAccessResult(layer.result) if layer.result_choice else bytes(layer.raw_data)


def _results(layer: Any) -> tuple[DataAccessResult, ...]:
    return tuple(DataAccessResult(one.result) for one in layer.results)


def _variable(layer: Any) -> Any:
    match layer.choice:
        case 2:
            return VariableName(name=layer.variable_name)
        case 4:
            return ParameterizedAccess(
                name=layer.variable_name, selector=layer.selector, parameter=data(layer.parameter)
            )
        case 5:
            return BlockNumberAccess(number=layer.block_number)
        case 6:
            return ReadDataBlockAccess(block=_short_block(layer))
        case _:
            return WriteDataBlockAccess(last=layer.last_block != 0, number=layer.block_number)


def _short_block(layer: Any) -> ShortBlock:
    return ShortBlock(layer.last_block != 0, layer.block_number, layer.raw_data)


def _variables(layer: Any) -> tuple[Any, ...]:
    return tuple(map(_variable, layer.specifications))


def _read_result(layer: Any) -> Any:
    match layer.choice:
        case 0:
            return data(layer.data)
        case 1:
            return DataAccessResult(layer.result)
        case 2:
            return _short_block(layer)
        case _:
            return read.BlockTaken(number=layer.taken_number)


def _write_result(layer: Any) -> Any:
    if layer.choice == 2:
        return read.BlockTaken(number=layer.block_number)
    return DataAccessResult(layer.result if layer.choice else 0)


def _specification(layer: Any) -> Any:
    if layer.choice == 3:
        return access.AccessAction(method=_method(layer.method))
    kind = access.AccessGet if layer.choice in (1, 4) else access.AccessSet
    selection = None
    if layer.choice >= 4:
        selection = SelectiveAccess(layer.access_selector, data(layer.access_parameters))
    return kind(attribute=_attribute(layer.attribute), selection=selection)


def _access_result(layer: Any) -> access.AccessResult:
    service = access.AccessService(layer.choice)
    if service is access.AccessService.ACTION:
        return access.AccessResult(service, ActionResult(layer.action_result))
    return access.AccessResult(service, DataAccessResult(layer.result))


def _access_response(layer: Any) -> access.AccessResponse:
    specifications = None
    if layer.has_specifications:
        specifications = tuple(map(_specification, layer.specifications))
    return access.AccessResponse(
        _long_invoke(layer),
        _datas(layer.values),
        tuple(map(_access_result, layer.results)),
        specifications,
        layer.date_time,
    )


def _time(layer: Any) -> bytes | None:
    name = "event_time" if layer.name.startswith("Event") else "current_time"
    return getattr(layer, name) if getattr(layer, f"has_{name}") else None


def _initiate_request(layer: Any) -> InitiateRequest:
    return InitiateRequest(
        Conformance(int(layer.proposed_conformance)),
        layer.client_max_receive_pdu_size,
        layer.dedicated_key if layer.has_dedicated_key else None,
        layer.response_allowed != 0 if layer.has_response_allowed else True,
        layer.proposed_quality_of_service if layer.has_proposed_quality_of_service else None,
        layer.proposed_dlms_version_number,
    )


def _initiate_response(layer: Any) -> InitiateResponse:
    quality = layer.negotiated_quality_of_service
    return InitiateResponse(
        Conformance(int(layer.negotiated_conformance)),
        layer.server_max_receive_pdu_size,
        layer.vaa_name,
        quality if layer.has_negotiated_quality_of_service else None,
        layer.negotiated_dlms_version_number,
    )


def _exception(layer: Any) -> ExceptionResponse:
    return ExceptionResponse(
        state_error=StateError(layer.state_error),
        service_error=ServiceErrorCode(layer.service_error),
        invocation_counter=layer.invocation_counter,
    )


def _octets(value: Any) -> bytes | None:
    return None if value is None else value.val if isinstance(value.val, bytes) else b""


def _number(value: Any) -> int | None:
    return None if value is None else int(value.val)


def _flag(value: Any) -> bool | None:
    return None if value is None else value.val[:1] == "1"


def _oid(value: Any, names: dict[Any, str]) -> bytes | None:
    if value is None:
        return None
    return next((name.oid for name, dotted in names.items() if dotted == value.val), b"?")


def _authentication(layer: Any) -> AuthenticationValue | None:
    if layer.charstring is not None:
        return AuthenticationValue(layer.charstring.val)
    if layer.bitstring is not None:
        bits = layer.bitstring.val
        octets = int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""
        return AuthenticationValue(octets, ValueChoice.BITSTRING)
    return None


def _acse(layer: Any, who: str, requirements: str) -> dict[str, Any]:
    information = layer.implementation_information or layer.implementation_information_bd
    user = layer.user_information
    version = layer.protocol_version
    return {
        "protocol_version": None if version is None else version.val,
        "application_context_name": _oid(layer.application_context_name, CONTEXT_OIDS),
        f"{requirements}_acse_requirements": _flag(
            getattr(layer, f"{requirements}_acse_requirements")
        ),
        "mechanism_name": _oid(layer.mechanism_name, MECHANISM_OIDS),
        f"{who}_authentication_value": _authentication(layer),
        "implementation_information": _octets(information),
        "user_information": None if user is None else bytes(user),
        **_party(layer, who),
    }


def _party(layer: Any, who: str) -> dict[str, Any]:
    return {
        f"{who}_ap_title": _octets(getattr(layer, f"{who}_ap_title")),
        f"{who}_ae_qualifier": _octets(getattr(layer, f"{who}_ae_qualifier")),
        f"{who}_ap_invocation_id": _number(getattr(layer, f"{who}_ap_invocation_id")),
        f"{who}_ae_invocation_id": _number(getattr(layer, f"{who}_ae_invocation_id")),
    }


def _aare(layer: Any) -> Aare:
    user, provider = layer.acse_service_user, layer.acse_service_provider
    diagnostic = ProviderDiagnostic(provider.val) if user is None else UserDiagnostic(user.val)
    return Aare(
        result=AssociationResult(layer.result.val),
        diagnostic=diagnostic,
        **_acse(layer, "responding", "responder"),
    )


def _release(layer: Any, kind: Any, reasons: Any) -> Any:
    user = layer.user_information
    return kind(
        reason=None if layer.reason is None else reasons(layer.reason.val),
        user_information=None if user is None else bytes(user),
    )


_MAKERS: dict[str, Any] = {
    "AARQ": lambda one: Aarq(**_acse(one, "calling", "sender"), **_party(one, "called")),
    "AARE": _aare,
    "RLRQ": lambda one: _release(one, Rlrq, ReleaseRequestReason),
    "RLRE": lambda one: _release(one, Rlre, ReleaseResponseReason),
    "InitiateRequest": _initiate_request,
    "InitiateResponse": _initiate_response,
    "ExceptionResponse": _exception,
    "ConfirmedServiceError": lambda one: ConfirmedServiceError(
        service=ErrorService(one.service),
        error_class=ErrorClass(one.error_class),
        value=one.error,
    ),
    "GeneralBlockTransfer": lambda one: general_block.GeneralBlock(
        bool(one.last_block), bool(one.streaming), one.window, one.block_number,
        one.block_number_ack, one.block_data,
    ),
    "GetRequestNormal": lambda one: get.GetRequest(
        _invoke(one), _attribute(one.attribute), _selection(one)
    ),
    "GetRequestNext": lambda one: get.GetRequestNext(_invoke(one), one.block_number),
    "GetRequestWithList": lambda one: get.GetRequestWithList(_invoke(one), _items(one)),
    "GetResponseNormal": lambda one: get.GetResponse(_invoke(one), _result(one.result)),
    "GetResponseWithDatablock": lambda one: get.GetResponseBlock(
        _invoke(one), one.last_block != 0, one.block_number, _block_result(one)
    ),
    "GetResponseWithList": lambda one: get.GetResponseWithList(
        _invoke(one), tuple(map(_result, one.results))
    ),
    "SetRequestNormal": lambda one: setting.SetRequest(
        _invoke(one), _attribute(one.attribute), data(one.data), _selection(one)
    ),
    "SetRequestFirstDatablock": lambda one: setting.SetRequestFirstBlock(
        _invoke(one), _attribute(one.attribute), _selection(one), _block(one)
    ),
    "SetRequestDatablock": lambda one: setting.SetRequestBlock(_invoke(one), _block(one)),
    "SetRequestWithList": lambda one: setting.SetRequestWithList(
        _invoke(one), _items(one), _datas(one.values)
    ),
    "SetRequestWithListFirstDatablock": lambda one: setting.SetRequestWithListFirstBlock(
        _invoke(one), _items(one), _block(one)
    ),
    "SetResponseNormal": lambda one: setting.SetResponse(
        _invoke(one), DataAccessResult(one.result)
    ),
    "SetResponseDatablock": lambda one: setting.SetResponseBlock(_invoke(one), one.block_number),
    "SetResponseLastDatablock": lambda one: setting.SetResponseLastBlock(
        _invoke(one), DataAccessResult(one.result), one.block_number
    ),
    "SetResponseLastDatablockWithList": lambda one: setting.SetResponseLastBlockWithList(
        _invoke(one), _results(one), one.block_number
    ),
    "SetResponseWithList": lambda one: setting.SetResponseWithList(_invoke(one), _results(one)),
    "ActionRequestNormal": lambda one: action.ActionRequest(
        _invoke(one), _method(one.method), data(one.parameters) if one.has_parameters else None
    ),
    "ActionRequestNextPblock": lambda one: action.ActionRequestNextBlock(
        _invoke(one), one.block_number
    ),
    "ActionRequestWithList": lambda one: action.ActionRequestWithList(
        _invoke(one), tuple(map(_method, one.methods)), _datas(one.parameters)
    ),
    "ActionRequestFirstPblock": lambda one: action.ActionRequestFirstBlock(
        _invoke(one), _method(one.method), _block(one)
    ),
    "ActionRequestWithListFirstPblock": lambda one: action.ActionRequestWithListFirstBlock(
        _invoke(one), tuple(map(_method, one.methods)), _block(one)
    ),
    "ActionRequestPblock": lambda one: action.ActionRequestBlock(_invoke(one), _block(one)),
    "ActionResponseNormal": lambda one: action.ActionResponse(
        _invoke(one), ActionResult(one.action_result), _returned(one)
    ),
    "ActionResponsePblock": lambda one: action.ActionResponseBlock(_invoke(one), _block(one)),
    "ActionResponseWithList": lambda one: action.ActionResponseWithList(
        _invoke(one),
        tuple(
            action.MethodResult(ActionResult(item.action_result), _returned(item))
            for item in one.responses
        ),
    ),
    "ActionResponseNextPblock": lambda one: action.ActionResponseNextBlock(
        _invoke(one), one.block_number
    ),
    "AccessRequest": lambda one: access.AccessRequest(
        _long_invoke(one), tuple(map(_specification, one.specifications)), _datas(one.values),
        one.date_time,
    ),
    "AccessResponse": _access_response,
    "DataNotification": lambda one: data_notification.DataNotification(
        _long_invoke(one), data(one.body), one.date_time
    ),
    "DataNotificationConfirm": lambda one: data_notification.DataNotificationConfirm(
        _long_invoke(one), one.date_time
    ),
    "EventNotification": lambda one: event_notification.EventNotification(
        _attribute(one.attribute), data(one.data), _time(one)
    ),
    "ReadRequest": lambda one: read.ReadRequest(_variables(one)),
    "ReadResponse": lambda one: read.ReadResponse(tuple(map(_read_result, one.results))),
    "WriteRequest": lambda one: write.WriteRequest(_variables(one), _datas(one.values)),
    "UnconfirmedWriteRequest": lambda one: write.UnconfirmedWriteRequest(
        _variables(one), _datas(one.values)
    ),
    "WriteResponse": lambda one: write.WriteResponse(tuple(map(_write_result, one.results))),
    "InformationReport": lambda one: information_report.InformationReport(
        _variables(one), _datas(one.values), _time(one)
    ),
}  # fmt: skip
