"""Whatever can be declared is written so that it is read as the same."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import Data, DataType
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance import built_in
from emulator.conformance.declaration import Declaration, parse, render
from emulator.conformance.declaration.clients import TASKS
from emulator.conformance.declaration.features import derived
from emulator.conformance.declaration.model import (
    DeclaredAssociation,
    DeclaredClient,
    DeclaredHdlc,
    DeclaredWay,
    Exclusion,
    ExpectedFailure,
    LogicalDevice,
    Timing,
    WayKind,
    WriteData,
)
from emulator.conformance.declaration.ways import HDLC_KINDS, LINE_KINDS

words = st.text(min_size=1, max_size=12).filter(str.strip)
# As `Path` writes them: `/a/` and `/a` are the same file.
files = words.map("/{}".format).filter(lambda path: str(Path(path)) == path)
instances = st.binary(min_size=6, max_size=6)
titles = st.binary(min_size=8, max_size=8)
seconds = st.floats(0.001, 86_400, allow_nan=False)
optional_instances = st.just(b"") | instances
values = st.one_of(
    st.integers(-(2**15), 2**15 - 1).map(lambda n: Data(DataType.LONG, n)),
    st.binary(max_size=8).map(lambda octets: Data(DataType.OCTET_STRING, octets)),
    st.text(max_size=8).map(lambda text: Data(DataType.UTF8_STRING, text)),
    st.booleans().map(lambda flag: Data(DataType.BOOLEAN, flag)),
)
bits = st.lists(st.sampled_from(list(Conformance))).map(
    lambda found: reduce(or_, found, Conformance(0))
)


@st.composite
def associations(draw: st.DrawFn, name: str, pair: tuple[int, int]) -> DeclaredAssociation:
    context = draw(st.sampled_from(ApplicationContext))
    suite = draw(st.sampled_from((0, 1, 2)))
    mechanisms = [one for one in Mechanism if suite or one is not Mechanism.HLS_ECDSA]
    release = draw(st.booleans())
    ciphered = context.ciphered
    policies = [Protection(number) for number in (0, 0x10, 0x20, 0x30, 0x100, 0x130)]
    return DeclaredAssociation(
        name=name,
        client_sap=pair[0],
        server_sap=pair[1],
        context=context,
        mechanism=draw(st.sampled_from(mechanisms)),
        conformance=draw(bits),
        max_pdu_size=draw(st.just(0) | st.integers(64, 0xFFFF)),
        suite=suite,
        policy=draw(st.sampled_from(policies)) if ciphered else Protection.NONE,
        dedicated=ciphered and draw(st.booleans()),
        keys=draw(st.just("") | words),
        own_title=draw(st.just(b"") | titles),
        counter_from=draw(optional_instances),
        users=tuple(draw(st.lists(st.integers(0, 255), unique=True, max_size=3))),
        release=release,
        protected_release=ciphered and release and draw(st.booleans()),
        security_setup=draw(optional_instances),
    )


@st.composite
def ways(draw: st.DrawFn) -> DeclaredWay:
    kind = draw(st.sampled_from(WayKind))
    found = [draw(files) if kind is WayKind.TLS else "" for _ in range(3)]
    return DeclaredWay(
        kind=kind,
        host=draw(words),
        port=0 if kind in LINE_KINDS else draw(st.integers(1, 0xFFFF)),
        baud=draw(st.sampled_from((300, 19200))) if kind is WayKind.SERIAL else 9600,
        ca=found[0],
        certificate=found[1],
        key=found[2],
    )


@st.composite
def links(draw: st.DrawFn) -> DeclaredHdlc:
    address, most = draw(st.sampled_from(((1, 0), (2, 0x7F), (4, 0x3FFF))))
    return DeclaredHdlc(
        address=address,
        physical=draw(st.integers(1, most)) if most else 0,
        transmit=draw(st.integers(8, 2030)),
        receive=draw(st.integers(8, 2030)),
        window_transmit=draw(st.integers(1, 7)),
        window_receive=draw(st.integers(1, 7)),
        inactivity=draw(seconds),
        inter_octet=draw(seconds),
    )


@st.composite
def declarations(draw: st.DrawFn) -> Declaration:
    names = draw(st.lists(words, unique=True, max_size=3))
    pair = st.tuples(st.integers(1, 0xFFFF), st.integers(1, 0xFFFF))
    pairs = draw(st.lists(pair, unique=True, min_size=len(names), max_size=len(names)))
    rows = tuple(draw(associations(name, two)) for name, two in zip(names, pairs, strict=True))
    write = st.builds(
        WriteData,
        association=st.sampled_from(names or ["none"]),
        attribute=st.builds(
            AttributeDescriptor, st.integers(0, 0xFFFF), instances, st.integers(1, 127)
        ),
        value=values,
    )
    writes = st.lists(write, max_size=3) if names else st.just([])
    pair_of_writes = st.lists(write, min_size=2, max_size=2, unique_by=lambda one: one.attribute)
    way = draw(ways())
    ids = draw(st.lists(st.sampled_from(sorted(built_in().checks)), unique=True, max_size=4))
    plain = Declaration(
        name=draw(words),
        features={},
        way=way,
        title=draw(st.just(b"") | titles),
        logical_devices=tuple(
            LogicalDevice(sap=sap, name=draw(st.binary(min_size=1, max_size=16)))
            for sap in draw(st.lists(st.integers(1, 0xFFFF), unique=True, max_size=2))
        ),
        associations=rows,
        hdlc=draw(links()) if way.kind in HDLC_KINDS else DeclaredHdlc(),
        timing=Timing(answer=draw(seconds), silence=draw(seconds), patience=draw(seconds)),
        key_file="/keys.toml",
        writes=tuple(draw(writes)),
        exclusions=tuple(Exclusion(pattern=id, reason=draw(words)) for id in ids[:2]),
        expected=tuple(ExpectedFailure(id=id, reason=draw(words)) for id in ids[2:]),
        image=draw(st.just("") | files),
        client=draw(
            st.just(DeclaredClient())
            | st.builds(
                DeclaredClient,
                command=st.just(("he", "{port}", "{task}")),
                tasks=st.sets(st.sampled_from(TASKS), min_size=1).map(frozenset),
            )
        ),
        settings=draw(st.dictionaries(words, words, max_size=2)),
        sta=tuple(draw(st.just([]) | pair_of_writes)) if names else (),
    )
    found = derived(plain).all
    free = draw(st.sets(st.sampled_from(("clock", "profiles", "scripts", "tls.crl"))))
    return replace(plain, features={**found, **dict.fromkeys(free, True)})


@given(declarations())
@settings(max_examples=200)
def test_reads_what_it_wrote(declaration: Declaration) -> None:
    assert parse(render(declaration)) == declaration


@given(declarations(), st.text(max_size=30))
@settings(max_examples=50)
def test_remarks_change_nothing(declaration: Declaration, remark: str) -> None:
    places = [("title",), ("way", "host"), ("exclusions",), ("timing", "answer"), ("hdlc",)]
    places += [("associations",), ("features", "key.transfer"), ("writes",)]
    places += [("associations", one.name, "suite") for one in declaration.associations]
    text = render(declaration, dict.fromkeys(places, remark))
    assert parse(text) == declaration
