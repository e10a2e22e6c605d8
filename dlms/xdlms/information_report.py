"""InformationReport: a server tells attributes unasked, by short names (GB Ed. 8, 9.3.17, 9.5)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data
from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import one_each, read_values, write_values
from dlms.xdlms.variable_access import (
    Allowed,
    VariableAccess,
    VariableName,
    access_needs,
    read_specifications,
    write_specifications,
)

TAG = 0x18
_ALLOWED: Allowed = frozenset((VariableName,))
_DATA = "list-of-data"
MAX_TIME = 32
"""Most octets of a GeneralizedTime: with a fraction and a zone there are fewer."""


class InformationReport(NamedTuple):
    """One Data for each variable name. ``time`` are the characters of a GeneralizedTime, such as
    ``20240131235959Z`` (ISO/IEC 8824-1; in A-XDR a VisibleString). There is no response.
    """

    specifications: tuple[VariableAccess, ...]
    data: tuple[Data, ...]
    time: bytes | None = None

    @property
    def needs(self) -> Conformance:
        return access_needs(
            self.specifications, Conformance.INFORMATION_REPORT, Conformance.INFORMATION_REPORT
        )

    def encode(self) -> bytes:
        one_each(len(self.data), len(self.specifications), _DATA)
        out = bytearray((TAG,))
        if self.time is None:
            out.append(0)
        else:
            _check_time(len(self.time))
            out.append(1)
            out += encode_octet_string(self.time)
        write_specifications(out, self.specifications, _ALLOWED)
        write_values(out, self.data, _DATA)
        return bytes(out)


def decode(octets: bytes) -> InformationReport:
    reader = Reader(octets, 1)
    time = None
    if reader.flag("current-time"):
        start = reader.position
        length = reader.length("current-time")
        _check_time(length, start)
        time = reader.take(length, "current-time")
    specifications = read_specifications(reader, _ALLOWED)
    start = reader.position
    data = read_values(reader, _DATA)
    one_each(len(data), len(specifications), _DATA, start)
    reader.finish("information-report-request")
    return InformationReport(specifications, data, time)


def _check_time(length: int, offset: int | None = None) -> None:
    if length > MAX_TIME:
        raise CodecError(
            f"{length} octets, {MAX_TIME} allowed", offset=offset, field="current-time"
        )
