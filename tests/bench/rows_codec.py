"""Octets to values and back: no sockets, no keys.

Each contestant turns the same values into the same octets, which is checked before anything is
measured, or the same octets into values. A peer is missing where its package has no call for that
direction alone (gurux reads requests only inside a whole server), or where the call fails
(dlms-cosem 25.1.0 writes no GET response).
"""

from __future__ import annotations

from collections.abc import Callable

import samples
from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.protocol import acse, xdlms
from dlms_cosem.protocol.xdlms.conformance import Conformance as CosemConformance
from gurux_dlms import GXArray, GXDLMSClient, GXReplyData, GXStructure, GXUInt8, GXUInt32
from gurux_dlms.enums import Authentication, Conformance, DataType, InterfaceType
from gurux_dlms.objects import GXDLMSData, GXDLMSRegister
from measure import COSEM, FASTER, GURUX, OURS, Computing, Row

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.xdlms import conformance, get
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.set import SetRequest

GROUP = "codec"


def rows() -> list[Row]:
    return [
        _get_request_encode(),
        _get_request_decode(),
        _get_response_encode(),
        _get_all(),
        _response_decode("GET response, decode", samples.register_response().encode()),
        _buffer_encode(),
        _response_decode(
            f"profile buffer {samples.ROWS}x{samples.COLUMNS}, decode",
            GetResponse(samples.INVOKE, samples.profile_buffer()).encode(),
            {COSEM: 5.0},
        ),
        _response_decode("object list of 17, decode", samples.object_list_response()),
        _aarq_encode(),
        _aarq_decode(),
        _aare_decode(),
    ]


def _row(
    name: str, least: dict[str, float] | None = None, **operations: Callable[[], object]
) -> Row:
    names = {"ours": OURS, "gurux": GURUX, "cosem": COSEM}
    return Row(
        group=GROUP,
        name=name,
        contestants={names[key]: Computing(operation) for key, operation in operations.items()},
        least={**FASTER, **(least or {})},
    )


def _gurux(authentication: Authentication = Authentication.NONE) -> GXDLMSClient:
    password = samples.PASSWORD if authentication is not Authentication.NONE else None
    client = GXDLMSClient(True, 16, 1, authentication, password, InterfaceType.PDU)
    client.maxReceivePDUSize = samples.PDU_SIZE
    client.proposedConformance = (
        Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS
    )
    return client


def _same(*encodings: bytes) -> None:
    first, *others = (bytes(octets) for octets in encodings)
    if any(other != first for other in others):
        raise AssertionError("contestants disagree: " + " ".join(e.hex() for e in encodings))


# GET --------------------------------------------------------------------------------------------


def _get_request_encode() -> Row:
    def ours() -> bytes:
        return GetRequest(samples.INVOKE, samples.REGISTER).encode()

    client, register = _gurux(), GXDLMSRegister(samples.REGISTER_NAME)

    def gurux() -> bytes:
        octets: bytes = client.read(register, 2)[0]
        return octets

    attribute = _cosem_attribute(enumerations.CosemInterface.REGISTER, samples.REGISTER_NAME)

    def theirs() -> bytes:
        return xdlms.GetRequestNormal(cosem_attribute=attribute).to_bytes()

    _same(ours(), gurux(), theirs())
    return _row("GET request, encode", ours=ours, gurux=gurux, cosem=theirs)


def _get_request_decode() -> Row:
    octets = GetRequest(samples.INVOKE, samples.REGISTER).encode()
    return _row(
        "GET request, decode",
        ours=lambda: get.decode_request(octets),
        cosem=lambda: xdlms.GetRequestFactory.from_bytes(octets),
    )


def _get_response_encode() -> Row:
    response = samples.register_response()
    return _row("GET response, encode", ours=response.encode)


def _get_all() -> Row:
    """To our disadvantage: the peer does not write the response, for its call fails."""
    request = GetRequest(samples.INVOKE, samples.REGISTER)
    octets, response = request.encode(), samples.register_response()
    answer = response.encode()

    def ours() -> object:
        GetRequest(samples.INVOKE, samples.REGISTER).encode()
        get.decode_request(octets)
        response.encode()
        return get.decode_response(answer)

    attribute = _cosem_attribute(enumerations.CosemInterface.REGISTER, samples.REGISTER_NAME)

    def theirs() -> object:
        xdlms.GetRequestNormal(cosem_attribute=attribute).to_bytes()
        xdlms.GetRequestFactory.from_bytes(octets)
        return utils.parse_as_dlms_data(xdlms.GetResponseFactory.from_bytes(answer).data)

    return _row("GET request and response, both ways", {COSEM: 3.0}, ours=ours, cosem=theirs)


def _response_decode(name: str, octets: bytes, least: dict[str, float] | None = None) -> Row:
    """From the APDU to Python values, whatever is inside."""
    client = _gurux()

    def gurux() -> object:
        reply = GXReplyData()
        client.getData(octets, reply)
        return reply.value

    def theirs() -> object:
        response = xdlms.GetResponseFactory.from_bytes(octets)
        return utils.parse_as_dlms_data(response.data)

    if gurux() != theirs():
        raise AssertionError(f"{name}: the peers disagree")
    return _row(name, least, ours=lambda: get.decode_response(octets), gurux=gurux, cosem=theirs)


# Profile buffer ---------------------------------------------------------------------------------


def _buffer_encode() -> Row:
    """As the value of a SET, for that is how a client's package can be made to encode one."""
    buffer = samples.profile_buffer()

    def ours() -> bytes:
        return SetRequest(samples.INVOKE, samples.BUFFER, buffer).encode()

    client, target = _gurux(), GXDLMSData(samples.BUFFER_NAME)
    target.value = _gurux_buffer()
    target.setDataType(2, DataType.ARRAY)

    def gurux() -> bytes:
        octets: bytes = client.write(target, 2)[0]
        return octets

    attribute = _cosem_attribute(enumerations.CosemInterface.DATA, samples.BUFFER_NAME)
    value = _cosem_buffer()

    def theirs() -> bytes:
        return xdlms.SetRequestNormal(cosem_attribute=attribute, data=value.to_bytes()).to_bytes()

    _same(ours(), gurux(), theirs())
    name = f"profile buffer {samples.ROWS}x{samples.COLUMNS}, encode"
    return _row(name, {COSEM: 5.0}, ours=ours, gurux=gurux, cosem=theirs)


def _gurux_buffer() -> GXArray:
    buffer = GXArray()
    for clock, status, imported, exported in samples.profile_rows():
        row = GXStructure()
        row.extend((bytearray(clock), GXUInt8(status), GXUInt32(imported), GXUInt32(exported)))
        buffer.append(row)
    return buffer


def _cosem_buffer() -> dlms_data.DataArray:
    return dlms_data.DataArray(
        [
            dlms_data.DataStructure(
                [
                    dlms_data.OctetStringData(clock),
                    dlms_data.UnsignedIntegerData(status),
                    dlms_data.DoubleLongUnsignedData(imported),
                    dlms_data.DoubleLongUnsignedData(exported),
                ]
            )
            for clock, status, imported, exported in samples.profile_rows()
        ]
    )


def _cosem_attribute(interface: enumerations.CosemInterface, name: str) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(interface, cosem.Obis.from_string(name), 2)


# ACSE -------------------------------------------------------------------------------------------

_CONFORMANCE = conformance.Conformance(0)
for _bit in samples.CONFORMANCE_BITS:
    _CONFORMANCE |= conformance.Conformance[_bit]


def _our_aarq() -> bytes:
    initiate = InitiateRequest(
        conformance=_CONFORMANCE, client_max_receive_pdu_size=samples.PDU_SIZE
    )
    return Aarq(
        application_context_name=ApplicationContext.LN.oid,
        sender_acse_requirements=True,
        mechanism_name=Mechanism.LLS.oid,
        calling_authentication_value=AuthenticationValue(samples.PASSWORD),
        user_information=initiate.encode(),
    ).encode()


def _aarq_encode() -> Row:
    client = _gurux(Authentication.LOW)

    def gurux() -> bytes:
        octets: bytes = client.aarqRequest()[0]
        return octets

    bits = CosemConformance(get=True, set=True, action=True, selective_access=True)

    def theirs() -> bytes:
        initiate = xdlms.InitiateRequest(
            proposed_conformance=bits, client_max_receive_pdu_size=samples.PDU_SIZE
        )
        return acse.ApplicationAssociationRequest(
            ciphered=False,
            authentication=enumerations.AuthenticationMechanism.LLS,
            authentication_value=samples.PASSWORD,
            user_information=acse.UserInformation(content=initiate),
        ).to_bytes()

    _same(_our_aarq(), gurux(), theirs())
    return _row("AARQ, encode", ours=_our_aarq, gurux=gurux, cosem=theirs)


def _aarq_decode() -> Row:
    octets = _our_aarq()

    def ours() -> InitiateRequest:
        return InitiateRequest.decode(Aarq.decode(octets).user_information or b"")

    return _row(
        "AARQ, decode",
        ours=ours,
        cosem=lambda: acse.ApplicationAssociationRequest.from_bytes(octets),
    )


def _aare_decode() -> Row:
    octets = Aare(
        application_context_name=ApplicationContext.LN.oid,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.NULL,
        user_information=InitiateResponse(
            conformance=_CONFORMANCE, server_max_receive_pdu_size=1024
        ).encode(),
    ).encode()
    client = _gurux(Authentication.LOW)

    def ours() -> InitiateResponse:
        return InitiateResponse.decode(Aare.decode(octets).user_information or b"")

    def gurux() -> None:
        reply = GXReplyData()
        client.getData(octets, reply)
        client.parseAareResponse(reply.data)

    return _row(
        "AARE, decode",
        ours=ours,
        gurux=gurux,
        cosem=lambda: acse.ApplicationAssociationResponse.from_bytes(octets),
    )
