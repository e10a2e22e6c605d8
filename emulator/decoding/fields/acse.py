"""Fields of AARQ, AARE, RLRQ and RLRE (GB Ed. 8, 9.4.2.2 and 9.4.2.3)."""

from __future__ import annotations

from collections.abc import Callable

from dlms.acse.aare import TAG as AARE
from dlms.acse.aarq import TAG as AARQ
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import RLRE_TAG as RLRE
from dlms.acse.release import RLRQ_TAG as RLRQ
from emulator.decoding.fields import saying
from emulator.decoding.fields.cutting import Cutter

Inner = Callable[[Cutter, int], None]

TAGS = {AARQ: "AARQ", AARE: "AARE", RLRQ: "RLRQ", RLRE: "RLRE"}

_AARQ = {
    0x80: "protocol-version",
    0xA1: "application-context-name",
    0xA2: "called-AP-title",
    0xA3: "called-AE-qualifier",
    0xA4: "called-AP-invocation-id",
    0xA5: "called-AE-invocation-id",
    0xA6: "calling-AP-title",
    0xA7: "calling-AE-qualifier",
    0xA8: "calling-AP-invocation-id",
    0xA9: "calling-AE-invocation-id",
    0x8A: "sender-acse-requirements",
    0x8B: "mechanism-name",
    0xAC: "calling-authentication-value",
    0x9D: "implementation-information",
    0xBD: "implementation-information",
    0xBE: "user-information",
}
_AARE = {
    0x80: "protocol-version",
    0xA1: "application-context-name",
    0xA2: "result",
    0xA3: "result-source-diagnostic",
    0xA4: "responding-AP-title",
    0xA5: "responding-AE-qualifier",
    0xA6: "responding-AP-invocation-id",
    0xA7: "responding-AE-invocation-id",
    0x88: "responder-acse-requirements",
    0x89: "mechanism-name",
    0xAA: "responding-authentication-value",
    0x9D: "implementation-information",
    0xBD: "implementation-information",
    0xBE: "user-information",
}
_RELEASE = {0x80: "reason", 0xBE: "user-information"}
_NAMES = {AARQ: _AARQ, AARE: _AARE, RLRQ: _RELEASE, RLRE: _RELEASE}
_CHALLENGING = (
    Mechanism.HLS_MD5,
    Mechanism.HLS_SHA1,
    Mechanism.HLS_GMAC,
    Mechanism.HLS_SHA256,
    Mechanism.HLS_ECDSA,
)
"""With any other mechanism, an authentication value of a client may be its secret."""

_OCTET_STRING = 0x04
_VALUE = {0xAC, 0xAA}
_INFORMATION = 0xBE


def acse(cutter: Cutter, inner: Inner) -> None:
    """One APDU, from its tag on."""
    tag = cutter.take(1, "tag", lambda one: TAGS[one[0]])[0]
    cutter.hides = tag in (AARQ, RLRQ)
    with cutter.deeper():
        cutter.length(f"length of {TAGS[tag]}")
        _elements(cutter, tag, inner)


def _elements(cutter: Cutter, tag: int, inner: Inner) -> None:
    mechanism: Mechanism | None = None
    while cutter.remaining:
        element = cutter.reader.peek(TAGS[tag])
        name = _NAMES[tag].get(element, "")
        cutter.take(1, "tag", lambda one, name=name: name or f"unknown element {one.hex()}")  # type: ignore[misc]
        count = cutter.length(f"length of {name or 'it'}")
        stop = cutter.position + count
        with cutter.deeper():
            if element == _INFORMATION:
                _information(cutter, stop, inner)
            elif element in _VALUE:
                secret = tag == AARQ and mechanism not in _CHALLENGING
                _authentication(cutter, count, name, secret=secret)
            elif count:
                secret = not name and cutter.hides
                octets = cutter.take(count, name or "content", _saying(name, tag), secret=secret)
                if name == "mechanism-name":
                    mechanism = Mechanism.from_oid(octets)


def _information(cutter: Cutter, stop: int, inner: Inner) -> None:
    end = min(stop, cutter.reader.end)
    if cutter.position < end and cutter.reader.peek("user-information") == _OCTET_STRING:
        cutter.take(1, "tag", lambda _: "OCTET STRING")
        cutter.length("length of user-information")
    if cutter.position < end:
        with cutter.deeper():
            inner(cutter, end)


def _authentication(cutter: Cutter, count: int, name: str, *, secret: bool) -> None:
    stop = cutter.position + count
    if cutter.octets[cutter.position + 1 : cutter.position + 2] == bytes((max(count - 2, 0),)):
        cutter.take(1, "tag", lambda one: {0x80: "charstring", 0x81: "bitstring"}.get(one[0], "?"))
        cutter.length(f"length of {name}")
    if cutter.position < stop:
        cutter.take(stop - cutter.position, name, bytes.hex, secret=secret)


def _saying(name: str, tag: int) -> Callable[[bytes], str]:
    reasons = ReleaseRequestReason if tag == RLRQ else ReleaseResponseReason
    return {
        "reason": saying.named(reasons),
        "application-context-name": _context,
        "mechanism-name": _mechanism,
        "result": _result,
        "result-source-diagnostic": _diagnostic,
        "called-AP-title": _title,
        "calling-AP-title": _title,
        "responding-AP-title": _title,
    }.get(name, bytes.hex)


def _title(octets: bytes) -> str:
    """The system title, out of the OCTET STRING that it is in."""
    inside = octets[:2] == bytes((_OCTET_STRING, len(octets) - 2))
    return (octets[2:] if inside else octets).hex()


def _context(octets: bytes) -> str:
    found = ApplicationContext.from_oid(octets[2:])
    return found.name if found else "unknown"


def _mechanism(octets: bytes) -> str:
    found = Mechanism.from_oid(octets)
    return found.name if found else "unknown"


def _result(octets: bytes) -> str:
    try:
        return AssociationResult(octets[-1]).name
    except ValueError:
        return f"{octets.hex()}, unknown"


def _diagnostic(octets: bytes) -> str:
    choices = {0xA1: UserDiagnostic, 0xA2: ProviderDiagnostic}
    try:
        return choices[octets[0]](octets[-1]).name
    except (KeyError, ValueError):
        return f"{octets.hex()}, unknown"
