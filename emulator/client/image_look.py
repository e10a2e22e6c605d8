"""What a meter's Image transfer object says (Blue Book 4.4.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dlms.axdr.data import Data
from dlms.client.effects import Dialogue
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.cosem.image_transfer import Status
from dlms.words import word
from emulator.client.errors import MeterFault, Refused
from emulator.client.session import Session
from emulator.client.targets import What

CLASS = classes.IMAGE_TRANSFER.class_id


class ImageRefused(Refused):
    """The meter does not take, verify or activate the image. ``status`` is what it says then."""

    def __init__(self, why: str, status: Status) -> None:
        super().__init__("image transfer", f"{why} (status {int(status)}, {word(status)})")
        self.status = status


class ToActivate(NamedTuple):
    """One image of image_to_activate_info."""

    size: int
    identification: bytes
    signature: bytes


class Look(NamedTuple):
    """What the object says. ``bits`` are ``None`` where it does not give them: they may be more
    than fits into a PDU; ``first_missing`` is the number of a block.
    """

    block_size: int
    bits: str | None
    first_missing: int
    enabled: bool
    status: Status
    to_activate: tuple[ToActivate, ...]


def look_of(session: Session, what: What) -> Dialogue[Look]:
    target = yield from session.target(what, CLASS)
    found = yield from session.fetch([(target.attribute(n), None) for n in range(2, 8)])
    size, bits, first, enabled, status, info = found
    return Look(
        _number(size),
        None if isinstance(bits, Refused) else _bits(bits),
        _number(first),
        bool(_value(enabled)),
        _status_in(status),
        tuple(_to_activate(info)),
    )


def status_of(session: Session, what: What) -> Dialogue[Status]:
    target = yield from session.target(what, CLASS)
    (status,) = yield from session.fetch([(target.attribute(6), None)])
    return _status_in(status)


def _value(given: Data | Refused) -> Any:
    if isinstance(given, Refused):
        raise given
    return given.value


def _number(given: Data | Refused) -> int:
    value = _value(given)
    if not isinstance(value, int):
        raise MeterFault("the meter's Image transfer gives something else than a number")
    return value


def _bits(given: Data) -> str:
    if not isinstance(given.value, str):
        raise MeterFault("the meter's image_transferred_blocks_status is no bit-string")
    return given.value


def _status_in(given: Data | Refused) -> Status:
    try:
        return Status(_number(given))
    except ValueError:
        raise MeterFault("the meter's image_transfer_status is not known") from None


def _to_activate(given: Data | Refused) -> Iterator[ToActivate]:
    if isinstance(given, Refused):
        raise given
    for one in elements_of(given) or ():
        match [part.value for part in elements_of(one) or ()]:
            case [int(size), bytes(identification), bytes(signature)]:
                yield ToActivate(size, identification, signature)
            case _:
                raise MeterFault("the meter's image_to_activate_info is not as it should be")
