"""The draft of a whole declaration, through one open association."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dlms.axdr.data import Data
from dlms.errors import LocalProtocolError
from emulator.client.association import Association
from emulator.client.errors import ClientError
from emulator.client.objects import ObjectEntry, ObjectList
from emulator.conformance.declaration.drafting import rows
from emulator.conformance.declaration.drafting.findings import (
    Finding,
    Look,
    number,
    octets,
    parts,
)
from emulator.conformance.declaration.drafting.given import Given
from emulator.conformance.declaration.drafting.lines import hdlc_of, port_remark
from emulator.conformance.declaration.drafting.partners import (
    Seen,
    Setup,
    counter_beside,
    look_at,
    look_at_setup,
)
from emulator.conformance.declaration.drafting.seen_features import UNSEEN, seen_features
from emulator.conformance.declaration.features import derived
from emulator.conformance.declaration.model import Declaration, LogicalDevice
from emulator.conformance.declaration.ways import HDLC_KINDS

_LN, _SN, _SAPS, _SETUP, _DATA, _IMAGE = 15, 12, 17, 64, 1, 18
_CURRENT = bytes((0, 0, 40, 0, 0, 255))
_SAP_ASSIGNMENT = bytes((0, 0, 41, 0, 0, 255))
_DEVICE_NAME = bytes((0, 0, 42, 0, 0, 255))
_TO_SAY = {
    "writes": "fill in: [[writes]], values that may be written to attributes for a moment",
    "exclusions": 'fill in: what must not be run on it, as in X_GBT = "the reason"',
    "expected": 'fill in: what is known to fail on it, as in HDLC_INFO_N2 = "the reason"',
}

Remarks = dict[tuple[str, ...], str]


class Draft(NamedTuple):
    """What :func:`~emulator.conformance.declaration.rendering.render` takes."""

    declaration: Declaration
    remarks: Remarks


async def draft(association: Association, given: Given) -> Draft:
    """What the open ``association`` shows. What it refuses to show is a remark; what goes wrong
    otherwise is raised (:mod:`emulator.client.errors`).
    """
    return await _Drafter(association, given).draft()


class _Drafter:
    def __init__(self, association: Association, given: Given) -> None:
        self.look = Look(association)
        self.association = association
        self.given = given
        self.remarks: Remarks = {}
        self.setups: dict[bytes, Setup] = {}
        self.objects = ObjectList(())

    async def draft(self) -> Draft:
        given = self.given
        await self._list_objects()
        associations = await self._associations()
        plain = Declaration(
            name=given.name,
            features={},
            way=given.way,
            hdlc=given.hdlc,
            timing=given.timing,
            key_file=given.key_file,
            title=await self._title(),
            logical_devices=await self._logical_devices(),
            associations=tuple(one.make() for one in associations),
        )
        if given.way.kind in HDLC_KINDS:
            found = await hdlc_of(self.look, self.objects, given.hdlc)
            plain = replace(plain, hdlc=found.hdlc)
            self._remark(("hdlc",), found.remarks)
        else:
            self.remarks[("way", "port")] = await port_remark(self.look, self.objects)
        if not given.key_file:
            self.remarks[("key_file",)] = "fill in: the file that has the keys, if there are any"
        if any(one.class_id == _IMAGE for one in self.objects):
            self.remarks[("image",)] = "fill in: an image that may be transferred, if there is one"
        for key, remark in _TO_SAY.items():
            self.remarks[(key,)] = remark
        return Draft(replace(plain, features=self._features(plain)), self.remarks)

    async def _list_objects(self) -> None:
        try:
            self.objects = await self.association.objects()
        except (ClientError, LocalProtocolError) as error:
            if self.association.is_lost:
                raise
            self.remarks[("associations",)] = f"fill in: there was no object list to read ({error})"

    async def _associations(self) -> list[rows.Row]:
        negotiated = self.association.negotiated
        first = rows.opened(self.given, negotiated.conformance, negotiated.server_max_pdu)
        found = [first]
        taken = {(self.given.client_sap, self.given.server_sap)}
        for entry in self.objects:
            if entry.class_id == _SN and entry.instance == _CURRENT and entry.version >= 2:
                reference = await self.look.at(_SN, entry.instance, 4, octets)
                await self._secure(first, reference)
            if entry.class_id != _LN:
                continue
            seen = await look_at(self.look, entry)
            pair = None if seen.partners.value is None else tuple(seen.partners.value)
            if entry.instance == _CURRENT:
                rows.confirm(first, seen, entry.instance)
                await self._secure(first, seen.setup)
            elif pair not in taken:
                row = await self._besides(seen, entry)
                if row is not None:
                    found.append(row)
                    taken.add((row.values["client_sap"], row.values["server_sap"]))
        for row in found:
            self.remarks[("associations", row.name)] = row.remark
            self._remark(("associations", row.name), row.remarks)
        return found

    async def _besides(self, seen: Seen, entry: ObjectEntry) -> rows.Row | None:
        row, lacks = rows.besides(seen, entry.instance)
        if not lacks:
            await self._secure(row, seen.setup)
            lacks = rows.fault(row)
        if not lacks:
            return row
        said = self.remarks.get(("associations",))
        self.remarks[("associations",)] = f"{said}\n{lacks}" if said else lacks
        return None

    async def _secure(self, row: rows.Row, reference: Finding[bytes]) -> None:
        instance = reference.value
        entry = None if instance is None else self.objects.get(instance, _SETUP)
        setup, counter = None, b""
        if entry is not None:
            setup = await look_at_setup(self.look, entry)
            self.setups[entry.instance] = setup
            counter = counter_beside(entry.instance, self.objects)
        rows.secure(row, reference, setup, counter)

    async def _title(self) -> bytes:
        found = self.association.negotiated.server_title
        if found is not None:
            self.remarks[("title",)] = "as the AARE says"
            return found
        for entry in self.objects:
            if entry.class_id == _SETUP and entry.instance not in self.setups:
                self.setups[entry.instance] = await look_at_setup(self.look, entry)
        for setup in self.setups.values():
            if setup.server_title.value is not None:
                self.remarks[("title",)] = setup.server_title.remark
                return setup.server_title.value
        self.remarks[("title",)] = (
            "fill in: the meter's system title; neither the AARE nor a Security setup says it"
        )
        return b""

    async def _logical_devices(self) -> tuple[LogicalDevice, ...]:
        listed = await self.look.at(_SAPS, _SAP_ASSIGNMENT, 2, _devices)
        if listed.value:
            for one in listed.value:
                self.remarks[("logical_devices", str(one.sap))] = listed.remark
            return listed.value
        name = await self.look.at(_DATA, _DEVICE_NAME, 2, _name)
        sap = self.given.server_sap
        if name.value is None:
            self.remarks[("logical_devices",)] = f"{listed.remark}\n{name.remark}"
            return ()
        self.remarks[("logical_devices",)] = f"{listed.remark}: the others"
        self.remarks[("logical_devices", str(sap))] = name.remark
        return (LogicalDevice(sap=sap, name=name.value),)

    def _features(self, declaration: Declaration) -> dict[str, int]:
        found: dict[str, int] = derived(declaration).all
        for one in seen_features(self.objects):
            found[one.name] = True
            self.remarks[("features", one.name)] = one.remark
        for name, says in UNSEEN:
            if name != "hdlc.ui" or declaration.way.kind in HDLC_KINDS:
                self.remarks[("features", name)] = f"fill in: true if {says}"
        return found

    def _remark(self, path: tuple[str, ...], remarks: dict[str, str]) -> None:
        self.remarks.update({(*path, key): remark for key, remark in remarks.items()})


def _devices(data: Data) -> tuple[LogicalDevice, ...] | None:
    found = {}
    for one in parts(data, 1):
        sap, name = parts(one, 2)[:2]
        there, octets_ = number(sap), _name(name)
        if there and octets_ is not None:
            found[there] = LogicalDevice(sap=there, name=octets_)
    return tuple(found.values()) or None


def _name(data: Data) -> bytes | None:
    found = octets(data)
    return found if found is not None and len(found) <= 16 else None
