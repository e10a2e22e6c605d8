"""One meter with something in every section of its memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devices.certificates import GeneratedPair, StoredCertificate
from devices.history import Alert, Segment
from dlms.axdr.data import (
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    bit_string,
    boolean,
    double_long,
    enum,
    octet_string,
    structure,
    visible_string,
)
from dlms.cosem.security_setup import Entity, Policy
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificateFacts, CertificatePurpose, Curve
from emulator.memory.kept_memories import KeptMemories
from emulator.memory.meter_memory import MeterMemory

SECRET = bytes(range(0x40, 0x60))
TITLE = b"EHL\1\0\0\0\1"
MOMENT = dt.datetime(2019, 3, 26, 12, 0, 0, 123457, tzinfo=dt.UTC)
GUEK = KeyRef(TITLE, "an odd/näme", KeyKind.GUEK)
CERTIFICATE = StoredCertificate(
    Entity.CLIENT,
    b"certificate",
    CertificateFacts(
        bytes(64),
        Curve.P384,
        TITLE,
        b"\2\1\5",
        b"is",
        b"su",
        b"",
        CertificatePurpose.KEY_AGREEMENT,
    ),
)
VALUES: tuple[Data, ...] = (
    double_long(-5),
    array(structure(enum(1), boolean(True), octet_string(b"\0\xff"), bit_string("101"))),
    visible_string("ä"),
    Data(DataType.NULL_DATA, None),
    Data(DataType.DONT_CARE, None),
    Data(DataType.FLOAT64, 1.5),
    Data(
        DataType.COMPACT_ARRAY,
        CompactArray(TypeDescription(DataType.ENUM), (enum(1), enum(2))),
    ),
)


def _fill(memory: MeterMemory) -> None:
    state, ring = memory.state, memory.ring
    for number, value in enumerate(VALUES):
        state.values[bytes((1, 0, 0, 0, 0, 255)), number] = value
    state.key_versions[GUEK.scope, KeyKind.GUEK] = 2
    state.policies["dco"] = Policy(Protection.BOTH, Protection.SIGNED)
    state.users["dco"] = {1: "one", 200: "zwölf"}
    state.clock_offset = dt.timedelta(days=-4, microseconds=1)
    state.security_revision = 12
    state.used_tokens.update((0, 2**40))
    state.certificates["dco"] = (CERTIFICATE, CERTIFICATE._replace(entity=Entity.SERVER))
    state.certificates["s1sp"] = ()
    state.generated["dco", KeyKind.SIGNING_KEY] = GeneratedPair(3, bytes(range(64)))
    state.destroyed.add(("dco", KeyKind.AGREEMENT_KEY))
    state.doomed.add(GUEK._replace(kind=KeyKind.SIGNING_KEY))
    state.history[0] = Segment(MOMENT, True, 0, dt.timedelta())
    state.history[10] = Segment(MOMENT, False, 2, dt.timedelta(microseconds=-1))
    state.history[9] = Segment(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), True, 0, dt.timedelta(1))
    state.rows[bytes((1, 0, 99, 1, 0, 255)), 2**33] = VALUES[1]
    state.alerts[5] = Alert(0x8F0A, MOMENT, -7)
    state.figures["lived"] = 2**70
    state.image[0] = bytes(256)
    ring.keep(GUEK._replace(version=1), b"first key of all")
    ring.keep(GUEK._replace(version=2), b"secrets have any length, 0 too?")
    ring.discard(GUEK._replace(kind=KeyKind.KEK))


def _contents(memory: MeterMemory) -> dict[str, Any]:
    return {
        **{name: dict(section) for name, section in memory.state.sections.items()},
        "keys": dict(memory.ring.lasting),
        "destroyed keys": set(memory.ring.destroyed),
    }


@pytest.fixture(scope="session")
def fill() -> Callable[[MeterMemory], None]:
    """Puts something into everything."""
    return _fill


@pytest.fixture(scope="session")
def contents() -> Callable[[MeterMemory], dict[str, Any]]:
    """What is remembered, by section."""
    return _contents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    KeptMemories.create(tmp_path, SECRET)
    return tmp_path


@pytest.fixture
def load() -> Callable[..., MeterMemory]:
    def load(memories: Any, title: bytes = TITLE, profile: str = "secure") -> MeterMemory:
        memory: MeterMemory = memories.load(title, profile, lambda ref: 0)
        return memory

    return load
