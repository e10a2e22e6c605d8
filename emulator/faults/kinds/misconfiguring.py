"""The meter is configured otherwise than its profile has it, or forgets what it must remember."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from devices.profile.knobs import parse_knobs
from devices.profile.model import AssociationRow
from devices.profile.place import Place as ProfilePlace
from devices.profile.place import ProfileError
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import ServerConfig
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.words import member
from dlms.xdlms.conformance import Conformance
from emulator.control.arguments import Argument, shown
from emulator.control.arguments import Kind as ArgumentKind
from emulator.control.errors import bad_argument
from emulator.faults.fault import Fault
from emulator.faults.kind import Kind, Parameter
from emulator.faults.kinds.parameters import choice
from emulator.serving.taps import Parcel, Place

_KNOBS = "knobs"
_FIELDS = {field.name for field in fields(ServerConfig)} - {"client_sap", "server_sap"}


def _associations(fault: Fault) -> Iterator[AssociationRow]:
    rows = fault.reach.mains.host.device.profile.associations
    only = fault["association"]
    if only is not None and only not in rows:
        raise bad_argument(f"association is one of {', '.join(rows)}, not {shown(only)}")
    return iter(rows.values() if only is None else (rows[only],))


def configure(fault: Fault) -> None:
    device = fault.reach.mains.host.device
    for row in _associations(fault):
        changes = {
            name: _value(name, written, row.config) for name, written in fault["changes"].items()
        }
        fault.at_end(device.misconfigure(row.name, changes))


def _value(name: str, written: object, config: ServerConfig) -> Any:
    if name not in _FIELDS:
        raise bad_argument(f"changes are of {', '.join(sorted(_FIELDS))}, not {shown(name)}")
    try:
        return _typed(name, written, config)
    except (ValueError, ProfileError) as error:
        raise bad_argument(f"{name}: {error}") from None


def _typed(name: str, written: object, config: ServerConfig) -> Any:
    match name:
        case "knobs":
            if not isinstance(written, Mapping):
                raise ValueError("a table of knobs")
            place = ProfilePlace("fault").at(_KNOBS)
            changed = parse_knobs(dict(written), place)
            return replace(config.knobs, **{key: getattr(changed, key) for key in written})
        case "mechanism":
            return member(Mechanism, str(written))
        case "context":
            return member(ApplicationContext, str(written))
        case "policy" | "response_policy":
            return Protection(written) if isinstance(written, int) else Protection.NONE
        case "conformance":
            if not isinstance(written, list):
                raise ValueError("a list of the names of services")
            conformance = Conformance(0)
            for word in written:
                conformance |= member(Conformance, str(word))
            return conformance
        case "client_title":
            return None if written == "" else bytes.fromhex(str(written))
        case "users":
            return frozenset(written) if isinstance(written, list) else None
    if type(written) is not type(getattr(config, name)):
        raise ValueError(f"{shown(written)} is of another type than {getattr(config, name)!r}")
    return written


def forget(fault: Fault) -> None:
    """Before each APDU that matches the counters of its key are as new, one of them or both; what
    was sent before is known again when the next one comes.
    """
    device, which = fault.reach.mains.host.device, fault["counter"]
    rows = {row.name for row in _associations(fault) if row.security_setup is not None}
    try:
        pattern = re.compile(fault["match"])
    except re.error as error:
        raise bad_argument(f"match is a regular expression: {error}") from None
    forgotten: dict[KeyRef, int] = {}

    def begin_anew(parcel: Parcel) -> Iterable[Parcel]:
        if parcel.association not in rows:
            return (parcel,)
        counters = device.state.counters
        key = device.key(parcel.association, KeyKind.GUEK)
        if fault["match"] != _ANY:
            counters.raise_to(key, forgotten.pop(key, 0))
        if not pattern.match(parcel.octets.hex()):
            return (parcel,)
        send, floor = counters.next_to_send(key), counters.floor(key)
        counters.forget(key)  # those that are kept do not go back for being established
        counters.establish(key)
        if which == "floor":
            counters.raise_to(key, send)
        elif floor:
            counters.accept(key, floor - 1)
            forgotten[key] = send
        fault.has_acted(f"the {which} counter begins anew", parcel)
        return (parcel,)

    fault.tap(Place.APDU_IN, begin_anew)


_ANY = "."
_ASSOCIATION = Parameter(
    Argument(name="association", kind=ArgumentKind.TEXT, help="of this name; else all")
)

KINDS = (
    Kind(
        name="configured",
        place="association",
        help="an association is served otherwise than the profile has it",
        seen="what the changes make of it: services, sizes, policies that were not declared",
        begin=configure,
        parameters=(
            _ASSOCIATION,
            Parameter(
                Argument(
                    name="changes",
                    kind=ArgumentKind.TABLE,
                    required=True,
                    help="fields of the association with their values, as profiles have them",
                ),
                {},
            ),
        ),
        counts=False,
    ),
    Kind(
        name="forget",
        place="association",
        help="the meter forgets an invocation counter before APDUs",
        seen="floor: messages that were taken are taken again; send: counters that were used come"
        " again",
        begin=forget,
        parameters=(
            _ASSOCIATION,
            choice("counter", ("floor", "send"), "floor", "least it accepts, or of what it sends"),
            Parameter(
                Argument(
                    name="match",
                    kind=ArgumentKind.TEXT,
                    help="before which APDUs: a regular expression over lower-case hexadecimal; of"
                    " what it sends, it knows the counter again before the next one",
                ),
                _ANY,
            ),
        ),
    ),
)
