"""Octets to begin fuzzing with: one or more of each layer, built by it.

Every APDU form is there by itself, some also framed and ciphered. The keys are those of the Green
Book's examples; the same octets come every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scapy.packet import Packet

from dlms.axdr.data import DataType
from dlms.framing.hdlc.parameters import Parameters
from emulator.scapy_layers import (
    access,
    acse,
    ciphered,
    context,
    hdlc,
    hdlc_control,
    names,
    services,
)
from emulator.scapy_layers.apdu import LAYERS
from emulator.scapy_layers.data import CosemData, TypeDescription
from emulator.scapy_layers.descriptors import AttributeItem, SelectiveAccess
from emulator.scapy_layers.wrapper import Wpdu


def seeds() -> Iterable[tuple[str, bytes]]:
    """Names, which begin with what parses the octets (``data``, ``acse``, ``apdu``, ``ciphered``,
    ``hdlc``, ``wrapper``), and octets.
    """
    for name, layer in _all():
        yield name, bytes(layer)


def _all() -> Iterator[tuple[str, Packet]]:
    yield from ((f"data-{name}", one) for name, one in _data())
    yield from ((f"acse-{name}", one) for name, one in _acse())
    apdus = list(_apdus())
    yield from ((f"apdu-{name}", one) for name, one in apdus)
    yield from ((f"ciphered-{name}", one) for name, one in _ciphered())
    yield from ((f"hdlc-{name}", one) for name, one in _frames())
    for name, one in (*_acse(), *apdus[:3]):
        yield f"wrapper-{name}", Wpdu() / one


def _data() -> Iterator[tuple[str, CosemData]]:
    for kind in DataType:
        one = CosemData(type=kind)
        if kind in (DataType.ARRAY, DataType.STRUCTURE):
            one.elements = [CosemData(type=18, value=1), CosemData(type=9, value=b"\x01\x02")]
        elif kind is DataType.COMPACT_ARRAY:
            one.description = TypeDescription(type=18)
            one.contents = [CosemData(type=18, value=number) for number in range(3)]
        elif kind is DataType.BIT_STRING:
            one.value = "10110"
        elif kind in (DataType.VISIBLE_STRING, DataType.UTF8_STRING, DataType.OCTET_STRING):
            one.value = b"seed"
        yield kind.label, one


_TITLE = bytes.fromhex("4D4D4D0000BC614E")


def _acse() -> Iterator[tuple[str, Packet]]:
    initiate = context.InitiateRequest()
    yield "aarq", acse.AARQ(user_information=initiate)
    yield (
        "aarq-hls",
        acse.AARQ(
            application_context_name="2.16.756.5.8.1.3",
            calling_ap_title=_TITLE,
            sender_acse_requirements="1",
            mechanism_name="2.16.756.5.8.2.5",
            charstring=b"K56iVagY",
            user_information=initiate,
        ),
    )
    yield (
        "aare",
        acse.AARE(
            result=0,
            acse_service_user=0,
            responding_ap_title=_TITLE,
            user_information=context.InitiateResponse(),
        ),
    )
    yield "rlrq", acse.RLRQ(reason=0, user_information=initiate)
    yield "rlre", acse.RLRE(reason=0, user_information=context.InitiateResponse())


def _apdus() -> Iterator[tuple[str, Packet]]:
    """Each form with what its fields are by default, and those of several parts with some."""
    selected = SelectiveAccess(access_selector=1, access_parameters=CosemData(type=17, value=1))
    some = CosemData(type=9, value=b"12345678")
    yield "get-selected", services.GetRequestNormal(selection=selected)
    yield "get-list", services.GetRequestWithList(attributes=[AttributeItem(selection=selected)])
    yield "set", services.SetRequestNormal(data=some)
    yield "set-list", services.SetRequestWithList(attributes=[AttributeItem()], values=[some])
    yield "action", services.ActionRequestNormal(parameters=some)
    yield (
        "access",
        access.AccessRequest(
            specifications=[access.AccessSpecification(choice=choice) for choice in range(1, 6)],
            values=[some] * 5,
        ),
    )
    yield "read", names.ReadRequest(specifications=list(_variables(2, 4, 5, 6)))
    yield (
        "write",
        names.WriteRequest(specifications=list(_variables(2, 4, 7)), values=[some] * 3),
    )
    seen: set[type[Packet]] = set()
    for layer in LAYERS.values():
        if layer in seen or issubclass(layer, (ciphered.Ciphered, ciphered.GeneralSigning)):
            continue
        seen.add(layer)
        if layer not in (acse.AARQ, acse.AARE, acse.RLRQ, acse.RLRE):
            yield layer.__name__, layer()


def _variables(*choices: int) -> Iterator[Packet]:
    from emulator.scapy_layers.descriptors import VariableAccess

    return (VariableAccess(choice=choice) for choice in choices)


def _ciphered() -> Iterator[tuple[str, Packet]]:
    """Of the right layout; a parser of octets opens none of it."""
    content, tag = (
        bytes.fromhex("411312FF935A47566827C467BC"),
        bytes.fromhex("7D825C3BE4A77C3FCC056B6B"),
    )
    fields = {"content": content, "authentication_tag": tag, "invocation_counter": 0x01234567}
    yield "glo-get-request", ciphered.ServiceCiphered(tag=0xC8, **fields)
    yield "ded-get-request", ciphered.ServiceCiphered(tag=0xD0, **fields)
    yield "general-glo", ciphered.GeneralGloCiphering(system_title=_TITLE, **fields)
    yield "general-ded", ciphered.GeneralDedCiphering(system_title=_TITLE, **fields)
    header = {
        "transaction_id": b"\x01" * 8,
        "originator_system_title": _TITLE,
        "recipient_system_title": _TITLE[::-1],
    }
    for choice, data in enumerate((b"", bytes(24), bytes(128))):
        info = ciphered.KeyInfo(choice=choice, key_ciphered_data=data)
        yield f"general-{choice}", ciphered.GeneralCiphering(key_info=info, **header, **fields)
    signed = ciphered.GeneralSigning(
        content=services.GetRequestNormal(), signature=bytes(64), **header
    )
    yield "general-signing", signed


def _frames() -> Iterator[tuple[str, Packet]]:
    limits = hdlc.HdlcParameters.of(Parameters())
    yield "snrm", hdlc.HdlcFrame(information=limits)
    yield (
        "ua",
        hdlc.HdlcFrame(control=hdlc_control.UnnumberedControl(kind="UA P/F"), information=limits),
    )
    for kind in ("DISC P/F", "DM P/F", "UI"):
        yield (
            kind.split()[0].lower(),
            hdlc.HdlcFrame(control=hdlc_control.UnnumberedControl(kind=kind)),
        )
    yield (
        "frmr",
        hdlc.HdlcFrame(
            control=hdlc_control.UnnumberedControl(kind="FRMR P/F"),
            information=hdlc.HdlcRejection(rejected_control=0x32, unknown_control=1),
        ),
    )
    yield "rr", hdlc.HdlcFrame(control=hdlc_control.SupervisoryControl())
    for address in ("1/17", "1/17@4"):
        information = hdlc.CosemLlc() / acse.AARQ(user_information=context.InitiateRequest())
        yield (
            f"aarq-{address.replace('/', '-')}",
            hdlc.HdlcFrame(
                destination=address,
                control=hdlc_control.InformationControl(),
                information=information,
            ),
        )
