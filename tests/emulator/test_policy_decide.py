"""Operations with several keys, the words of a decision, and the cases that are easy to misread."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Seal, Use, keys_of
from emulator.policy import (
    BEFORE_LETTER,
    EDITIONS,
    LETTER,
    Actor,
    Category,
    Edition,
    KeyUse,
    ModuleClass,
    NoRuleError,
    Purpose,
    Question,
    Rule,
    decide,
    judge,
    key_uses,
)
from emulator.policy.rule import ANY_LIFETIME, ANY_PURPOSE

LONG, SINGLE = KeyLifetime.LONG_LIVED, KeyLifetime.SINGLE_ASSOCIATION
DEDICATED = KeyUse(KeyKind.DEDICATED, SINGLE)
GUEK = KeyUse(KeyKind.GUEK, LONG)
GAK = KeyUse(KeyKind.GAK, LONG)
SESSION_GAK = KeyUse(KeyKind.GAK, SINGLE)
LLS = KeyUse(KeyKind.LLS_SECRET, LONG)
TLS_KEY = KeyUse(KeyKind.TLS_PRIVATE_KEY, LONG)
TITLE = b"EMU\x00\x00\x00\x00\x01"

questions = st.builds(
    Question,
    actor=st.sampled_from(Actor),
    purpose=st.sampled_from(Purpose),
    category=st.sampled_from([*Category, None]),
    keys=st.lists(
        st.builds(KeyUse, st.sampled_from(KeyKind), st.sampled_from(KeyLifetime)), max_size=4
    ).map(tuple),
)
editions = st.sampled_from(list(EDITIONS.values()))


def ask(
    *keys: KeyUse,
    actor: Actor = Actor.S1SP,
    purpose: Purpose = Purpose.GENERATE_INSTRUCTION,
    category: Category | None = Category.CATEGORY_2,
    edition: Edition = LETTER,
) -> tuple[ModuleClass, str, KeyUse | None]:
    decision = decide(Question(actor=actor, purpose=purpose, category=category, keys=keys), edition)
    return decision.module_class, decision.clause, decision.deciding_key


def seal(control: int, ak: KeyRef | None) -> Seal:
    dedicated = KeyRef(TITLE, "management", KeyKind.DEDICATED, SINGLE)
    return Seal(Use.PROTECT_REQUEST, dedicated, ak, control, TITLE, 1, b"\xc0\x01")


def test_dedicated_key_with_long_lived_authentication_key_is_level_3() -> None:
    operation = seal(0x30, KeyRef(TITLE, "management", KeyKind.GAK))
    assert ask(*key_uses(keys_of(operation))) == (ModuleClass.LEVEL_3, "G2.44(c)", GAK)


def test_dedicated_key_alone_is_excepted() -> None:
    operation = seal(0x20, None)
    expected = (ModuleClass.G2_45, "G2.44(c)(iii)", DEDICATED)
    assert ask(*key_uses(keys_of(operation))) == expected


def test_dedicated_key_with_authentication_key_of_one_association_is_excepted() -> None:
    operation = seal(0x30, KeyRef(TITLE, "management", KeyKind.GAK, SINGLE))
    expected = (ModuleClass.G2_45, "G2.44(c)(iii)", DEDICATED)
    assert ask(*key_uses(keys_of(operation))) == expected


def test_initiate_request_that_carries_a_dedicated_key_is_level_3() -> None:
    decided = ask(GUEK, GAK, DEDICATED, purpose=Purpose.ESTABLISH_ASSOCIATION)
    assert decided == (ModuleClass.LEVEL_3, "G2.44(c)", GUEK)


def test_between_keys_of_the_same_class_the_first_decides() -> None:
    assert ask(LLS, DEDICATED) == (ModuleClass.G2_45, "G2.45", LLS)
    assert ask(DEDICATED, LLS) == (ModuleClass.G2_45, "G2.44(c)(iii)", DEDICATED)


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.STORE_ENCRYPTED_KEY])
@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("key", [GUEK, DEDICATED, SESSION_GAK])
def test_no_exception_reaches_a_dco(purpose: Purpose, category: Category, key: KeyUse) -> None:
    decided = ask(key, actor=Actor.DCO, purpose=purpose, category=category)
    assert decided == (ModuleClass.LEVEL_3, "G2.44(a)", key)


@pytest.mark.parametrize("category", Category)
def test_opening_a_response_is_not_generating_anything(category: Category) -> None:
    decided = ask(GUEK, GAK, purpose=Purpose.PROCESS_RESPONSE, category=category)
    assert decided == (ModuleClass.LEVEL_3, "G2.44(c)", GUEK)


def test_opening_a_response_with_a_key_of_one_association_is_excepted_in_category_2_only() -> None:
    def response(category: Category) -> tuple[ModuleClass, str, KeyUse | None]:
        return ask(DEDICATED, purpose=Purpose.PROCESS_RESPONSE, category=category)

    assert response(Category.CATEGORY_2) == (ModuleClass.G2_45, "G2.44(c)(iii)", DEDICATED)
    assert response(Category.CATEGORY_1) == (ModuleClass.LEVEL_3, "G2.44(c)", DEDICATED)


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("key", [GUEK, DEDICATED])
def test_add_credit_is_exception_i_for_either_category(category: Category, key: KeyUse) -> None:
    decided = ask(key, purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND, category=category)
    assert decided == (ModuleClass.G2_45, "G2.44(c)(i)", key)


@pytest.mark.parametrize("actor", Actor)
def test_private_key_is_level_3_for_tls_only(actor: Actor) -> None:
    tls = ask(TLS_KEY, actor=actor, purpose=Purpose.ESTABLISH_TLS)
    assert tls == (ModuleClass.LEVEL_3, "G2.44(b)", TLS_KEY)
    other = ask(TLS_KEY, actor=actor, purpose=Purpose.OTHER)
    assert other == (ModuleClass.G2_45, "G2.45", TLS_KEY)


def test_unwrapping_a_key_is_not_storing_it() -> None:
    kek = KeyUse(KeyKind.KEK, LONG)
    stored = ask(kek, GAK, purpose=Purpose.STORE_ENCRYPTED_KEY)
    assert stored == (ModuleClass.NONE, "A1", kek)
    unwrapped = ask(kek, GAK, purpose=Purpose.TRANSFER_KEY)
    assert unwrapped == (ModuleClass.LEVEL_3, "G2.44(c)", kek)


@given(question=questions)
def test_without_a_smets1_device_there_are_no_exceptions(question: Question) -> None:
    decided = ask(*question.keys, actor=question.actor, purpose=question.purpose, category=None)
    if question.keys:
        assert decided == (ModuleClass.LEVEL_3, "G2.44", question.keys[0])
    else:
        assert decided == (ModuleClass.NONE, "A1", None)


@given(question=questions, edition=editions)
def test_the_strictest_key_decides(question: Question, edition: Edition) -> None:
    decision = decide(question, edition)
    judgements = judge(question, edition)
    assert decision.module_class == max(j.module_class for j in judgements)
    first = next(j for j in judgements if j.module_class == decision.module_class)
    assert decision.deciding_key == first.key
    assert (decision.clause, decision.why) == (first.rule.clause, first.why)


@given(question=questions)
def test_the_letter_never_asks_for_more_than_the_code_before_it(question: Question) -> None:
    after, before = decide(question, LETTER), decide(question, BEFORE_LETTER)
    assert after.module_class <= before.module_class


@given(question=questions, edition=editions)
def test_why_is_one_plain_sentence(question: Question, edition: Edition) -> None:
    why = decide(question, edition).why
    assert why[0] in string.ascii_uppercase
    assert why.endswith(".")
    assert why.count(". ") == 0
    assert not set("{}") & set(why)


def test_the_classes_are_ordered_and_have_names() -> None:
    assert ModuleClass.NONE < ModuleClass.G2_45 < ModuleClass.LEVEL_3
    assert [c.text for c in ModuleClass] == [
        "not Cryptographic Processing",
        "Information Classification Scheme",
        "FIPS 140-2 Level 3",
    ]


def test_the_editions_say_how_far_they_can_be_trusted() -> None:
    for edition in EDITIONS.values():
        assert "26 March 2018" in edition.authority
        assert "2019" in edition.authority
        assert "could not be had" in edition.authority


def test_a_key_is_described_by_kind_and_lifetime() -> None:
    ref = KeyRef(TITLE, "management", KeyKind.GAK, SINGLE, version=3)
    assert KeyUse.of(ref) == SESSION_GAK
    assert str(SESSION_GAK) == (
        "global authentication key (valid for a single Application Association)"
    )


def test_a_gap_in_an_edition_is_refused() -> None:
    gap = Edition(
        name="gap",
        authority="made up",
        rules=(
            Rule(
                id="tls-only",
                purposes=ANY_PURPOSE,
                categories=frozenset(Category),
                kinds=frozenset({KeyKind.TLS_PRIVATE_KEY}),
                lifetimes=ANY_LIFETIME,
                module_class=ModuleClass.NONE,
                clause="none",
                why="Made up.",
                paragraph="none",
            ),
        ),
    )
    assert ask(TLS_KEY, edition=gap)[0] is ModuleClass.NONE
    with pytest.raises(NoRuleError, match="gap has no rule for GENERATE_INSTRUCTION"):
        ask(TLS_KEY, GAK, edition=gap)
