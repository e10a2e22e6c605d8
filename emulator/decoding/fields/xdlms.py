"""Fields of xDLMS APDUs in clear (GB Ed. 8, 9.5)."""

from __future__ import annotations

from collections.abc import Callable

from dlms.errors import CodecError
from dlms.xdlms import registry
from dlms.xdlms.codes import (
    ApplicationReferenceError,
    ErrorClass,
    ErrorService,
    InitiateError,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.conformance import Conformance
from emulator.decoding.fields import services, unasked
from emulator.decoding.fields.cutting import Cutter, number
from emulator.decoding.fields.saying import named, presence

_ERRORS = {
    ErrorClass.INITIATE: InitiateError,
    ErrorClass.APPLICATION_REFERENCE: ApplicationReferenceError,
}


def xdlms(cutter: Cutter, stop: int) -> None:
    """From its tag to before ``stop``."""
    outer, cutter.reader.end = cutter.reader.end, stop
    try:
        _apdu(cutter)
    finally:
        cutter.reader.end = outer


def _apdu(cutter: Cutter) -> None:
    tag = cutter.take(1, "tag", _tag)[0]
    with cutter.deeper():
        if tag in services.REQUESTS:
            services.request(cutter, tag)
        elif tag in services.RESPONSES:
            services.response(cutter, tag)
        elif tag in _CUTTERS:
            _CUTTERS[tag](cutter)
        else:
            raise CodecError(
                f"unknown APDU tag {tag:02X}", offset=cutter.position - 1, field="APDU"
            )
        cutter.rest("left over")


def _initiate_request(cutter: Cutter) -> None:
    cutter.hides = True
    if cutter.take(1, "dedicated-key", presence)[0]:
        cutter.string("dedicated-key", secret=True)
    if cutter.take(1, "response-allowed", presence)[0]:
        cutter.take(1, "response-allowed")
    if cutter.take(1, "proposed-quality-of-service", presence)[0]:
        cutter.take(1, "proposed-quality-of-service")
    cutter.take(1, "proposed-dlms-version-number")
    _conformance(cutter, "proposed-conformance")
    cutter.take(2, "client-max-receive-pdu-size")


def _initiate_response(cutter: Cutter) -> None:
    if cutter.take(1, "negotiated-quality-of-service", presence)[0]:
        cutter.take(1, "negotiated-quality-of-service")
    cutter.take(1, "negotiated-dlms-version-number")
    _conformance(cutter, "negotiated-conformance")
    cutter.take(2, "server-max-receive-pdu-size")
    cutter.take(2, "vaa-name", bytes.hex)


def _conformance(cutter: Cutter, name: str) -> None:
    head = cutter.octets[cutter.position : cutter.position + 2]
    cutter.take(1 if head == b"\x5f\x04" else 2, "tag", lambda _: name)
    cutter.length(f"length of {name}")
    cutter.take(1, "unused bits")
    cutter.take(3, name, lambda one: bits(int.from_bytes(one, "big")))


def bits(number: int) -> str:
    """The services of a conformance block, as the standard writes them."""
    named = [one for one in Conformance if one & number]
    unnamed = number & ~sum(named)
    said = [str(one.name).lower().replace("_", "-") for one in named]
    said += [f"bits {unnamed:06X} without a name"] if unnamed else []
    return ", ".join(said) or "none"


def _service_error(cutter: Cutter) -> None:
    cutter.take(1, "service", named(ErrorService))
    kind = cutter.take(1, "error class", named(ErrorClass))[0]
    codes = _ERRORS.get(ErrorClass(kind)) if kind in set(ErrorClass) else None
    cutter.take(1, "error", number if codes is None else named(codes))


def _exception(cutter: Cutter) -> None:
    cutter.take(1, "state-error", named(StateError))
    cutter.take(1, "service-error", named(ServiceErrorCode))
    cutter.rest("invocation-counter-error", number)


_CUTTERS: dict[int, Callable[[Cutter], None]] = {
    0x01: _initiate_request,
    0x08: _initiate_response,
    0x0E: _service_error,
    0xD8: _exception,
    0x05: unasked.read_request,
    0x06: unasked.write_request,
    0x16: unasked.write_request,
    0x0C: unasked.read_response,
    0x0D: unasked.write_response,
    0x0F: unasked.data_notification,
    0x10: unasked.confirmation,
    0x18: unasked.information_report,
    0xC2: unasked.event_notification,
    0xD9: unasked.access_request,
    0xDA: unasked.access_response,
}


def _tag(octets: bytes) -> str:
    row = registry.BY_TAG.get(octets[0])
    return row.name if row else "unknown"
