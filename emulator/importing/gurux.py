"""A Gurux object dump as a profile that works (``cosemlab profiles import``).

What the dump does not say comes from the common profile and is marked as assumed. What cannot be
used is left out, and the text says at its end what and why.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from devices.objects.registry import BEHAVIOURS
from devices.profile import ProfileError, load_text
from devices.profile.rights import parse_rights
from devices.profile.writing import rights_text, value_text
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.cosem import classes, obis
from dlms.cosem.interface_class import InterfaceClass
from emulator.importing import toml
from emulator.importing.dump import Dump, DumpObject, read_dump, rights_of, values_of
from emulator.importing.offers import Offers, common, offers
from emulator.importing.toml import Raw

_MAX_ROUNDS = 20
_SETUP, _COUNTER = bytes((0, 0, 43, 0)), bytes((0, 0, 43, 1))
_NAME_OBJECT, _GAS = bytes((0, 0, 42, 0, 0, 255)), 7
_ACCOUNT, _CREDIT, _CHARGE, _TOKEN = 111, 112, 113, 115
_FILLED = (_ACCOUNT, _CREDIT, _CHARGE, _TOKEN)
"""Classes without which there is no prepayment; a dump has not all of their attributes."""
_ELSE = {"reader": "r", "s1sp": "r", "dco": "rw m"}
"""Rights on objects that the common profile does not have."""


class Imported(NamedTuple):
    """A profile that has been loaded once, so it works, and what is not in it."""

    name: str
    text: str
    left_out: tuple[str, ...]


def import_dump(octets: bytes, file: str, name: str = "") -> Imported:
    """``file`` is what errors and sources call the dump. :class:`~.dump.DumpError` if it is none;
    ``ValueError`` if no profile comes of it.
    """
    dump = read_dump(octets, file)
    source = f"imported from {file}"
    made = _Profile(dump, source, name or _stem(file))
    for _ in range(_MAX_ROUNDS):
        text = made.text()
        try:
            load_text(text, f"{made.name}.toml")
        except ProfileError as error:
            dropped = [made.drop(one) for one in error.all]
            if not all(dropped):
                raise ValueError(f"{file}: no profile comes of it: {error}") from None
        else:
            return Imported(made.name, text, tuple(dump.left_out))
    raise ValueError(f"{file}: no profile comes of it")


def _stem(file: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", file.rpartition("/")[2].removesuffix(".xml"))
    return stem.strip("_-")[:64] or "imported"


class _Profile:
    """The tables of a profile while they are made."""

    def __init__(self, dump: Dump, source: str, name: str) -> None:
        self.name = name
        self.dump = dump
        self.source = source
        self.common = common()
        found: Offers = offers(dump, source)
        self.associations = found.tables
        self.current = found.current
        self.setups = {
            table["security_setup"]: key
            for key, table in self.associations.items()
            if "security_setup" in table
        }
        self.identity = _identity(dump, found.server_sap, source)
        self.objects: dict[str, dict[str, Any]] = {}
        for one in dump.objects.values():
            self._import(one)
        self._complete()
        self.instructions = dict(self.common["instructions"])

    # Objects ----------------------------------------------------------------------------------

    def _import(self, one: DumpObject) -> None:
        reason = self._unwanted(one)
        if reason:
            self.dump.left_out.append(f"{one.title}: {reason}")
            return
        interface_class = one.interface_class
        row: dict[str, Any] = {"class": interface_class.name, "version": interface_class.version}
        role = self._role(one)
        values: dict[int, Raw] = {}
        if role:
            row["role"] = role
        found, problems = values_of(one)
        for number, data in found.items():
            if role and number == 2:
                problems.append(f"{one.title}: its value is computed, by the role {role!r}")
                continue
            attribute = interface_class.attribute(number)
            assert attribute is not None
            try:
                values[number] = Raw(value_text(data, attribute.shape))
            except ValueError as error:
                problems.append(f"{one.title}, attribute {number}: {error}")
        self.dump.left_out.extend(problems)
        filled = self._filled(one, values)
        row["values"] = {str(number): value for number, value in sorted(values.items())}
        row["rights"] = self._rights(one.instance, interface_class, one)
        if filled:
            row["assumed"] = f"{self.source}, but attributes {filled} are the common profile's"
        else:
            row["source"] = self.source
        self.objects[obis.text(one.instance)] = row

    def _unwanted(self, one: DumpObject) -> str:
        class_id = one.interface_class.class_id
        if class_id == classes.ASSOCIATION_SN.class_id:
            return "short names are not imported"
        if class_id == classes.ASSOCIATION_LN.class_id and one.instance != CURRENT_ASSOCIATION:
            return "each association sees itself as 0-0:40.0.0.255"
        if class_id == classes.SECURITY_SETUP.class_id and one.instance[4] not in self.setups:
            return "no association of the profile has these keys"
        return ""

    def _role(self, one: DumpObject) -> str:
        if one.interface_class.class_id not in (classes.DATA.class_id, classes.REGISTER.class_id):
            return ""
        if one.instance[:4] == _COUNTER and one.instance[4] in self.setups:
            return f"invocation-counter {self.setups[one.instance[4]]}"
        known = self._known(one.instance, one.interface_class)
        role: str = known.get("role", "")
        return "" if role.startswith("invocation-counter") else role

    def _known(self, instance: bytes, interface_class: InterfaceClass) -> dict[str, Any]:
        """The row of the common profile for the same object, or nothing."""
        row: dict[str, Any] = self.common["objects"].get(obis.text(instance), {})
        return row if row.get("class") == interface_class.name else {}

    def _filled(self, one: DumpObject, values: dict[int, Raw]) -> str:
        """Fill in what prepayment needs and a dump has not; the numbers of that."""
        interface_class = one.interface_class
        if interface_class.class_id not in _FILLED:
            return ""
        rows = self.common["objects"].values()
        alike: dict[str, Any] = next(
            (row for row in rows if row["class"] == interface_class.name), {}
        )
        row = self._known(one.instance, interface_class) or alike
        computed = BEHAVIOURS[interface_class.class_id].read
        found = [
            int(number)
            for number in row.get("values", {})
            if int(number) not in values and int(number) not in computed
        ]
        for number in found:
            values[number] = Raw(toml.written(row["values"][str(number)]))
        return ", ".join(map(str, found))

    def _rights(
        self, instance: bytes, interface_class: InterfaceClass, one: DumpObject | None
    ) -> dict[str, str]:
        """Of the association of the dump, those of the dump; of others, what the common profile
        gives them, or reading.
        """
        table = self._known(instance, interface_class).get("rights", _ELSE)
        if instance == CURRENT_ASSOCIATION:
            table = dict.fromkeys(self.associations, "r 7-")
        elif instance[:4] in (_SETUP, _COUNTER) and instance[4] in self.setups:
            # Keys are replaced by their own party and by the DCO; a counter is for everybody.
            owner = self.setups[instance[4]]
            keys = dict.fromkeys(self.associations, "") | {"dco": "r m", owner: "r m"}
            table = keys if instance[:4] == _SETUP else dict.fromkeys(self.associations, "r")
        found = {}
        for name in self.associations:
            dumped = rights_of(one) if one is not None and name == self.current else None
            if dumped is not None:
                words = rights_text(dumped, interface_class)
            else:
                words = table.get(name, "" if name in self.common["associations"] else "r")
            if words and _good(words, interface_class):
                found[name] = words
        return found

    def _complete(self) -> None:
        """Add what every association needs: the objects of itself, of its keys and counters."""
        needed = {CURRENT_ASSOCIATION: classes.ASSOCIATION_LN}
        for number in self.setups:
            needed[_SETUP + bytes((number, 255))] = classes.SECURITY_SETUP
            needed[_COUNTER + bytes((number, 255))] = classes.DATA
        for instance, interface_class in needed.items():
            key = obis.text(instance)
            if key in self.objects:
                continue
            row: dict[str, Any] = {"class": interface_class.name}
            if instance[:4] == _SETUP and self._suite(instance[4]):
                row["version"] = 1
            if interface_class is classes.DATA:
                row["role"] = f"invocation-counter {self.setups[instance[4]]}"
            row["rights"] = self._rights(instance, interface_class, None)
            row["assumed"] = "not in the dump; its association needs it"
            self.objects[key] = row

    def _suite(self, number: int) -> int:
        suite: int = self.associations[self.setups[number]].get("suite", 0)
        return suite

    # The whole --------------------------------------------------------------------------------

    def drop(self, error: ProfileError) -> bool:
        """Leave out what an error is about; false if it is about what must be there."""
        path = error.place.path
        kind, key = path[0], path[1] if len(path) > 1 else ""
        tables = {"objects": self.objects, "instructions": self.instructions}
        row = tables.get(kind, {}).get(key)
        if row is None:
            return False
        part = path[2] if len(path) > 2 else ""
        if kind == "objects" and part in ("values", "rights") and len(path) > 3:
            row[part].pop(path[3], None)
        elif kind == "objects" and part == "role":
            del row["role"]
        else:
            del tables[kind][key]
        self.dump.left_out.append(f"{'.'.join(path)}: {error.problem}")
        return True

    def text(self) -> str:
        parts = [
            toml.comment(f"Made by 'cosemlab profiles import': {self.source}.\n"),
            f"name = {toml.written(self.name)}\n",
            toml.table("identity", {key: _inline(row) for key, row in self.identity.items()}),
        ]
        for name, row in self.associations.items():
            parts.append(toml.table(f"associations.{toml.key(name)}", row))
        for name, row in self.objects.items():
            parts.append(toml.table(f"objects.{toml.key(name)}", row))
        for name, row in self.instructions.items():
            steps = {"steps": [Raw(toml.written(step)) for step in row["steps"]]}
            parts.append(toml.table(f"instructions.{toml.key(name)}", {**row, **steps}))
        if self.dump.left_out:
            lines = [toml.comment(f"left out: {line}") for line in self.dump.left_out]
            parts.append("\n".join(lines) + "\n")
        return "\n".join(parts)


def _inline(row: dict[str, Any]) -> Raw:
    return Raw(toml.written(row))


def _good(words: str, interface_class: InterfaceClass) -> bool:
    try:
        parse_rights(words, interface_class)
    except ValueError:
        return False
    return True


# Identity -------------------------------------------------------------------------------------


def _identity(dump: Dump, server_sap: int | None, source: str) -> dict[str, dict[str, Any]]:
    """What the logical device name, the system title and the account say; the rest is assumed."""
    name = _device_name(dump)
    flag = name[:3]
    rest = name[3:]
    known = len(flag) == 3 and flag.isascii() and flag.isalpha() and flag.isupper()
    title = _title(dump)
    scale = _scale(dump)
    here, unknown = {"source": source}, {"assumed": "the dump does not say it"}
    groups = {one.instance[0] for one in dump.objects.values()}
    digits = rest.isdecimal() and 1 <= len(rest) <= 13
    ldn = f"{{flag}}{{serial:0{len(rest)}d}}" if digits else "{flag}{serial:013d}"
    return {
        "kind": {
            "value": "gas" if _GAS in groups and 1 not in groups else "electricity",
            "assumed": "by the medium of its objects",
        },
        "manufacturer": {"value": flag if known else "unknown", **(here if known else unknown)},
        "model": {"value": "imported", "assumed": "the dump does not say it"},
        "flag_id": {"value": flag if known else "XXX", **(here if known else unknown)},
        "category": {"value": 2, "assumed": "as most of the five"},
        "server_sap": {
            "value": server_sap or 1,
            **({"source": source} if server_sap else {"assumed": "the management logical device"}),
        },
        "title_prefix": {
            "value": title[3:4].hex().upper() or "00",
            **(here if title else unknown),
        },
        "ldn": {"value": ldn, "assumed": "a FLAG ID, then the serial number"},
        "top_up": {
            "value": "credit",
            "assumed": "the Credit method: how a maker's tokens are made no dump says",
        },
        "currency_scale": {
            "value": -2 if scale is None else scale,
            **(unknown if scale is None else here),
        },
        "max_credit": {"value": 20000, "assumed": "the most one top-up may add"},
        "max_balance": {"value": 50000, "assumed": "no dump says it"},
    }


def _device_name(dump: Dump) -> str:
    one = dump.objects.get(_NAME_OBJECT)
    if one is None:
        return ""
    data = values_of(one)[0].get(2)
    value = None if data is None else data.value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def _title(dump: Dump) -> bytes:
    """The system title of the meter, if a Security setup says it."""
    for one in dump.objects.values():
        said = one.node.said("ServerSystemTitle") or ""
        if one.interface_class.class_id == classes.SECURITY_SETUP.class_id:
            try:
                octets = bytes.fromhex(said)
            except ValueError:
                continue
            if len(octets) == 8:
                return octets
    return b""


def _scale(dump: Dump) -> int | None:
    for one in dump.objects.values():
        said = one.node.said("CurrencyScale") or ""
        if one.interface_class.class_id == _ACCOUNT and said.lstrip("-").isdecimal():
            return int(said) if -5 <= int(said) <= -2 else None
    return None
