"""What is written is read as the same: every action, twist, client, knob and defect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.axdr.data import Data, DataType
from dlms.security.control import Protection
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action, Plant
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.scenario import writing
from emulator.fuzz.scenario.found import Found, KnownKey, Witnessed
from emulator.fuzz.scenario.reading import DEEDS, parse
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import Edit, EditKind, Otherwise, Twist

NAMES = st.sampled_from(["dco", "s1sp", "a client", "GUEK", ""])
OCTETS = st.binary(max_size=9)
NUMBERS = st.integers(-3, 2**32)
SECONDS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.one_of(st.booleans(), NUMBERS, NAMES),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=4,
)
DESCRIBED = st.tuples(st.integers(0, 65535), st.binary(min_size=6, max_size=6), st.integers(0, 255))
VALUES = st.recursive(
    st.sampled_from(
        [
            Data(DataType.NULL_DATA, None),
            Data(DataType.BOOLEAN, True),
            Data(DataType.BIT_STRING, "1011"),
            Data(DataType.OCTET_STRING, b"\x00\xff"),
            Data(DataType.VISIBLE_STRING, "a"),
            Data(DataType.LONG_UNSIGNED, 65535),
            Data(DataType.ENUM, 3),
            Data(DataType.FLOAT64, float("inf")),
            Data(DataType.FLOAT32, 0.5),
            Data(DataType.DATE, bytes(5)),
            Data(DataType.DONT_CARE, None),
        ]
    ),
    lambda inner: st.lists(inner, max_size=2).map(lambda of: Data(DataType.STRUCTURE, tuple(of))),
    max_leaves=4,
)


def an_edit(kind: EditKind) -> st.SearchStrategy[Edit]:
    """With the fields that this kind has."""
    fields: dict[str, Any] = {"kind": st.just(kind)}
    if kind in (EditKind.PUT, EditKind.INSERT, EditKind.FLIP, EditKind.DELETE):
        fields["at"] = st.integers(-9, 9)
    if kind in (EditKind.DELETE, EditKind.KEEP, EditKind.REPEAT):
        fields["count"] = st.integers(0, 9)
    if kind not in (EditKind.DELETE, EditKind.KEEP):
        fields["octets"] = OCTETS
    return st.builds(Edit, **fields)


st.register_type_strategy(Edit, st.sampled_from(EditKind).flatmap(an_edit))
st.register_type_strategy(Data, VALUES)
st.register_type_strategy(actions.Wait, st.builds(actions.Wait, seconds=SECONDS))
st.register_type_strategy(actions.ClockStep, st.builds(actions.ClockStep, seconds=SECONDS))
st.register_type_strategy(AttributeDescriptor, DESCRIBED.map(lambda of: AttributeDescriptor(*of)))
st.register_type_strategy(MethodDescriptor, DESCRIBED.map(lambda of: MethodDescriptor(*of)))
st.register_type_strategy(
    Plant,
    st.builds(
        Plant,
        fault=NAMES,
        parameters=st.dictionaries(NAMES, JSON, max_size=2).map(lambda of: tuple(of.items())),
    ),
)
PROTECTIONS = st.sampled_from([None, *Protection])
CLIENTS = st.builds(
    ClientKind,
    association=NAMES,
    shares=NAMES,
    dedicated=st.booleans(),
    title=st.none() | OCTETS,
    channel_title=st.none() | OCTETS,
    protection=PROTECTIONS,
    knobs=st.dictionaries(NAMES, JSON, max_size=2),
)
SETTINGS = st.builds(
    Setting,
    profile=NAMES,
    clients=st.dictionaries(NAMES, CLIENTS, max_size=2),
    knobs=st.dictionaries(NAMES, st.dictionaries(NAMES, JSON, max_size=2), max_size=2),
    seed=NAMES,
    plants=st.lists(st.from_type(Plant), max_size=2).map(tuple),
    alive=NAMES,
)


def read_again(setting: Setting, *steps: Action, found: Found | None = None) -> Any:
    """The scenario as it is read from the text that is written."""
    written = writing.scenario("FOUND", "found", setting, steps, found)
    text = json.dumps(writing.document([written]), allow_nan=False)
    (scenario,) = parse(json.loads(text))
    return scenario


@pytest.mark.parametrize("kind", DEEDS.values(), ids=DEEDS)
def test_an_action_is_read_as_it_was_written(kind: type[Any]) -> None:
    @given(st.from_type(kind))
    @settings(max_examples=25, database=None)
    def the_same(action: Action) -> None:
        (course,) = read_again(Setting(), action).courses
        assert course.steps[0].action == action

    the_same()


def test_every_action_has_a_name() -> None:
    assert set(DEEDS.values()) == set(actions.Action.__args__)  # type: ignore[attr-defined]


@given(SETTINGS)
@settings(max_examples=60, database=None)
def test_a_setting_is_read_as_it_was_written(setting: Setting) -> None:
    assert read_again(setting).setting == setting


def test_what_is_as_always_is_not_written() -> None:
    assert writing.step(actions.Open(client="dco")) == {"do": "open", "client": "dco"}
    assert writing.setting(Setting()) == {}
    twist = Twist(seal=Otherwise(counter=5), cut=0)
    twisted = writing.step(actions.Open(client="dco", twist=twist))
    assert twisted == {"do": "open", "client": "dco", "seal": {"counter": 5}, "cut": 0}


def test_how_it_was_found_is_read_as_it_was_written() -> None:
    found = Found(
        invariant="I2",
        words="a counter goes back from 5 to 0",
        shape="a counter goes back",
        step=1,
        target="in process",
        version="1",
        seed=7,
        seconds=0.25,
        seen=(
            Witnessed(
                outcome="accepted",
                line=(("->", "dco", "60", "AARQ"), ("<-", "dco", "61", "AARE")),
                floors={"dco/GUEK": 5},
                agree={"dco": False},
                open=("dco",),
                breaks=("I2: a counter goes back",),
            ),
        ),
        keys=(KnownKey(holder="the meter", name="dco/GUEK", octets="00"),),
    )
    assert read_again(Setting(), actions.Open(client="dco"), found=found).found == found
