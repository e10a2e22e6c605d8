"""Expressions over features: what they mean, how they print, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.conformance.catalogue.applicability import (
    ExpressionError,
    UnknownFeature,
    all_of,
    parse,
)

FLAGS = ("ln", "get.blocks", "hdlc")
NUMBERS = ("suite", "tls.lifetime")


@pytest.mark.parametrize(
    ("text", "features", "unmet"),
    [
        ("ln", {"ln": True}, ()),
        ("ln", {"ln": False}, ("needs ln",)),
        ("ln", {}, ("needs ln",)),
        ("not ln", {}, ()),
        ("not ln", {"ln": True}, ("needs not ln",)),
        ("suite >= 1", {"suite": 1}, ()),
        ("suite >= 1", {}, ("needs suite >= 1",)),
        ("suite>=1", {"suite": 0}, ("needs suite >= 1",)),
        ("suite == 0", {}, ()),
        ("suite != 2", {"suite": 2}, ("needs suite != 2",)),
        ("suite < 2", {"suite": 2}, ("needs suite < 2",)),
        ("suite <= 1", {"suite": 2}, ("needs suite <= 1",)),
        ("tls.lifetime > 0", {"tls.lifetime": 48}, ()),
        ("ln and hdlc", {}, ("needs ln", "needs hdlc")),
        ("ln and hdlc", {"ln": True}, ("needs hdlc",)),
        ("ln or hdlc", {"hdlc": True}, ()),
        ("ln or hdlc", {}, ("needs ln or hdlc",)),
        ("ln or hdlc and get.blocks", {"ln": True}, ()),
        ("(ln or hdlc) and get.blocks", {"ln": True}, ("needs get.blocks",)),
        ("not (ln and hdlc)", {"ln": True}, ()),
        ("not (ln and hdlc)", {"ln": True, "hdlc": True}, ("needs not (ln and hdlc)",)),
        ("not not ln", {"ln": True}, ()),
    ],
)
def test_meaning(text: str, features: dict[str, int], unmet: tuple[str, ...]) -> None:
    assert parse(text, FLAGS, NUMBERS).unmet(features) == unmet


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a feature is missing at the end"),
        ("ln hdlc", "'hdlc' is out of place"),
        ("ln and", "a feature is missing at the end"),
        ("and ln", "'and' is out of place"),
        ("(ln", "a bracket is not closed"),
        ("ln)", r"'\)' is out of place"),
        ("ln >= 1", "'>=' is out of place"),
        ("suite", "a feature is missing at the end"),
        ("suite and ln", "suite is a number: it is compared"),
        ("suite >= ln", "suite is compared with a number, not with 'ln'"),
        ("suite = 1", "suite is a number: it is compared"),
        ("ln & hdlc", "'&' is out of place"),
        ("(" * 65, "has more than 64 words and signs"),
    ],
)
def test_what_means_nothing(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=f"^{problem}"):
        parse(text, FLAGS, NUMBERS)


def test_an_unknown_feature_is_named() -> None:
    with pytest.raises(UnknownFeature) as caught:
        parse("ln and tcp", FLAGS, NUMBERS)
    assert caught.value.name == "tcp"


def test_several_together() -> None:
    one, other = parse("ln or hdlc", FLAGS, NUMBERS), parse("suite > 0", FLAGS, NUMBERS)
    both = all_of([one, other])
    assert str(both) == "(ln or hdlc) and suite > 0"
    assert {word.feature for word in both.words} == {"ln", "hdlc", "suite"}
    assert all_of([one]) is one


WORDS = st.sampled_from(FLAGS) | st.builds(
    lambda name, compare, number: f"{name} {compare} {number}",
    st.sampled_from(NUMBERS),
    st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
    st.integers(0, 3),
)
EXPRESSIONS = st.recursive(
    WORDS,
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=5,
)
FEATURES = st.fixed_dictionaries(
    {**{name: st.booleans() for name in FLAGS}, **{name: st.integers(0, 3) for name in NUMBERS}}
)


@given(EXPRESSIONS, FEATURES)
def test_it_means_what_python_means(text: str, features: dict[str, int]) -> None:
    """And so does what it prints as."""
    found = parse(text, FLAGS, NUMBERS)
    names = {name.replace(".", "_"): value for name, value in features.items()}
    expected = bool(eval(text.replace(".", "_"), {}, names))
    assert (not found.unmet(features)) is expected
    assert (not parse(str(found), FLAGS, NUMBERS).unmet(features)) is expected
