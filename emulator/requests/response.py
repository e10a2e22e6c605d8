"""The SMETS1 Response: what comes back to the User, whatever became of the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.quantity import Quantity
from dlms.cosem.typed import Named
from emulator.requests.documents import ServiceRequest
from emulator.requests.variants import variants


class Result(Enum):
    SUCCESS = "success"
    REFUSED = "refused"
    """A party of the DCC did not pass it on: the meter was sent nothing."""
    QUARANTINED = "quarantined"
    """Held by the S1SP until its operator releases or deletes it."""
    DELETED = "deleted"
    """Deleted by the S1SP for a value beyond its threshold (SEC Appendix AA)."""
    METER_REFUSED = "refused-by-meter"
    FAILED = "failed"
    """No connection, no answer, or a broken one: what was done at the meter is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """``party`` is who answers; ``reason``, a word, and ``text`` say what went wrong, ``cause``
    is what it was here.
    """

    request: ServiceRequest
    result: Result
    party: str
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    text: str = ""
    cause: BaseException | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The document, as docs/requests.md defines it."""
        request = self.request
        variant = variants().get(request.variant)
        document: dict[str, Any] = {
            "request_id": request.id,
            "device": request.device.hex().upper(),
            "variant": request.variant,
            "name": "" if variant is None else variant.name,
            "result": self.result.value,
            "from": self.party,
            "values": {name: in_json(value) for name, value in self.values.items()},
        }
        if self.reason:
            document["error"] = {"reason": self.reason, "text": self.text}
        return document


def in_json(value: Any) -> Any:
    """A value of the client: a quantity as value (text) and unit, octets as text or hexadecimal."""
    if isinstance(value, Quantity):  # which is a tuple as well
        return {"value": str(value.value), "unit": str(value.unit)}
    if isinstance(value, Mapping):
        return {name: in_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [in_json(part) for part in value]
    if isinstance(value, Named):
        return value.label or int(value)
    if isinstance(value, bytes):
        text = value.isascii() and value.decode("ascii").isprintable() and len(value) > 0
        return value.decode("ascii") if text else value.hex().upper()
    if isinstance(value, CosemDateTime):
        return str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
