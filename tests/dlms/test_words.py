"""The members of enums as words."""

from __future__ import annotations

import pytest

from dlms.acse.names import Mechanism
from dlms.security.ops import CertificatePurpose
from dlms.words import member, normal, word, words


def test_a_word_and_back() -> None:
    assert word(CertificatePurpose.KEY_AGREEMENT) == "key-agreement"
    assert list(words(CertificatePurpose)) == ["signature", "key-agreement", "tls", "authority"]
    for one in Mechanism:
        assert words(Mechanism)[word(one)] is member(Mechanism, one) is one


@pytest.mark.parametrize(
    "typed", ["key-agreement", "key_agreement", "KEY_AGREEMENT", "Key-Agreement"]
)
def test_case_and_hyphens_do_not_matter(typed: str) -> None:
    assert normal(typed) == "key-agreement"
    assert member(CertificatePurpose, typed) is CertificatePurpose.KEY_AGREEMENT


@pytest.mark.parametrize("typed", ["", "key agreement", "2"])
def test_what_is_no_word(typed: str) -> None:
    known = "signature, key-agreement, tls, authority"
    with pytest.raises(ValueError, match=f"^{typed!r} is none of {known}$"):
        member(CertificatePurpose, typed)
