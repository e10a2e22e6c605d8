"""Write the tables of models into ``docs/meters.md``: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from devices.profile import Profile, available, gas, load
from dlms.cosem import classes, obis
from dlms.cosem.fitting import elements_of
from dlms.security.control import POLICY_V0_NUMBERS
from dlms.xdlms.conformance import Conformance
from emulator.profile_facts import facts

PAGE = Path(__file__).parents[2] / "docs" / "meters.md"
BEGIN = "<!-- tables of models: written by make docs -->\n"
END = "<!-- end of tables of models -->\n"

_POLICIES = {0: "none", 1: "authenticated", 2: "encrypted", 3: "both"}
_PARTIES = ("s1sp", "dco")
_BLOCKS = {
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ: "GET",
    Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE: "SET",
    Conformance.BLOCK_TRANSFER_WITH_ACTION: "ACTION",
    Conformance.GENERAL_BLOCK_TRANSFER: "general",
}
_MORE = {
    Conformance.MULTIPLE_REFERENCES: "lists",
    Conformance.ATTRIBUTE0_WITH_GET: "attribute 0",
}
_VERSIONED = ("Association LN", "Security setup", "Push setup", "Profile generic")
_METERED = {
    "import": "1-0:1.8.0", "export": "1-0:2.8.0", "reactive": "1-0:3.8.0", "voltage": "1-0:32.7.0",
    "volume": "7-0:3.0.0", "energy": "7-0:33.1.0",
}  # fmt: skip
_CLOCK, _ACCOUNT = "0-0:1.0.0.255", "0-0:19.0.0.255"
_EVENT_LOG, _SECURITY_LOG = "0-0:99.98.0.255", "0-0:99.98.1.255"


def tables() -> str:
    models = [load(name) for name in (*available(), *gas())]
    parts = {
        "Who they are": [_identity(one) for one in models],
        "Addresses and keys": [_security(one) for one in models],
        "Messages and object lists": [_objects(one) for one in models],
        "How they live": [_life(one) for one in models],
    }
    found = []
    for heading, rows in parts.items():
        named = [{"name": one.name, **row} for one, row in zip(models, rows, strict=True)]
        found.append(f"## {heading}\n\n{_table(named)}")
    return "\n".join(found)


def _table(rows: list[dict[str, str]]) -> str:
    head = f"| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}\n"
    return head + "".join(f"| {' | '.join(row.values())} |\n" for row in rows)


def _identity(profile: Profile) -> dict[str, str]:
    found = facts(profile)
    assumed = sum(one.assumed for one in found)
    mark = " (assumed)" if profile.provenance["model"].assumed else ""
    return {
        "manufacturer": profile.manufacturer,
        "model": profile.model + mark,
        "kind": profile.kind,
        "FLAG ID": profile.flag_id,
        "category": str(profile.category),
        "assumed of all facts": f"{assumed} of {len(found)}",
    }


def _security(profile: Profile) -> dict[str, str]:
    rows = profile.associations
    saps = " / ".join(str(rows[who].config.client_sap) for who in ("reader", *_PARTIES))
    policies = [_POLICIES[POLICY_V0_NUMBERS[rows[who].config.policy]] for who in _PARTIES]
    lifetime = "dedicated" if rows["s1sp"].dedicated else "long-lived"
    if rows["s1sp"].single_key:
        lifetime += ", authentication key for one association"
    return {
        "client SAPs: reader / S1SP / DCO": saps,
        "policy: S1SP / DCO": " / ".join(policies),
        "S1SP's keys": lifetime,
        "suite": str(rows["s1sp"].config.suite),
        "knobs": "; ".join(_knobs(profile)) or "strict",
    }


def _knobs(profile: Profile) -> list[str]:
    found = profile.associations["s1sp"].config.knobs
    said = [found.inner_counter.name.lower() + " inner counter"]
    said.append("exceptions " + found.exception_codes.name.lower().replace("_", " "))
    said.append(f"counts from {found.first_counter}")
    if found.max_forward_jump is not None:
        said.append(f"jumps {found.max_forward_jump} at the most")
    return said


def _objects(profile: Profile) -> dict[str, str]:
    config = profile.associations["s1sp"].config
    versions = {
        name: sorted(
            {
                str(row.interface_class.version)
                for row in profile.objects.values()
                if row.interface_class.name == name
            }
        )
        for name in _VERSIONED
    }
    return {
        "PDU size": str(config.max_pdu_size),
        "blocks": _said(config.conformance, _BLOCKS),
        "more": _said(config.conformance, _MORE),
        "objects": str(len(profile.objects)),
        **{f"{name}, version": ", ".join(found) for name, found in versions.items()},
        "metered": ", ".join(
            name for name, code in _METERED.items() if obis.parse(f"{code}.255") in profile.objects
        ),
    }


def _said(conformance: Conformance, words: dict[Conformance, str]) -> str:
    return ", ".join(word for bit, word in words.items() if bit & conformance) or "-"


def _life(profile: Profile) -> dict[str, str]:
    clock = profile.objects[obis.parse(_CLOCK)].values[8].value
    rates = sum(row.role.startswith("import-energy-rate") for row in profile.objects.values())
    logs = " / ".join(_number(profile, code, 8) for code in (_EVENT_LOG, _SECURITY_LOG))
    habits = profile.habits
    words = {
        "disarms": habits.disarms, "reconnects": habits.reconnects,
        "opens on tamper": habits.tamper_disconnects,
    }  # fmt: skip
    friendly = any(row.role == "friendly-hours" for row in profile.objects.values())
    return {
        "top-up": profile.top_up,
        "currency": f"10^{profile.currency_scale} £",
        "low credit": _number(profile, _ACCOUNT, 16),
        "disablement at": str(habits.disablement_threshold),
        "friendly hours": "yes" if friendly else "no",
        "rates": str(rates or 1),
        "charged by": _charged(profile),
        "clock": "local, summer time" if clock else "UTC",
        "clock after outage": habits.clock_after_outage,
        "logs": logs,
        "alerts": str(len(profile.alerts)),
        "habits": ", ".join(word for word, said in words.items() if said) or "-",
    }


def _charged(profile: Profile) -> str:
    """What the register is of that the consumption charge names."""
    value = profile.objects[obis.parse("0-0:19.20.0.255")].values[5]
    _, reference, _ = elements_of(value) or ()
    _, instance, _ = elements_of(reference) or ()
    assert isinstance(instance.value, bytes)
    row = profile.objects[instance.value]
    assert row.interface_class is classes.REGISTER
    return "m³" if row.role.startswith("gas-volume") else "kWh"


def _number(profile: Profile, code: str, attribute: int) -> str:
    return str(profile.objects[obis.parse(code)].values[attribute].value)


def with_tables(text: str) -> str:
    """The page with the tables of today."""
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return head + BEGIN + "\n" + tables() + "\n" + END + tail


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
