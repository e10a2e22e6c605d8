"""How a caller wants its messages protected, in words, and whether its keys are enough for that."""

from __future__ import annotations

from typing import TypeVar

from dlms.association.config import AssociationKeys, ClientConfig
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.key_choice import KeyChoice
from dlms.security.suites import SUITES
from dlms.words import word

T = TypeVar("T", Form, KeyChoice)

_FORMS = {
    "service": Form.SERVICE,
    "general": Form.GENERAL,
    "general-ciphering": Form.CIPHERING,
}
_CHOICES = {
    word(choice): choice
    for choice in (KeyChoice.UNICAST, KeyChoice.WRAPPED, KeyChoice.ONE_PASS, KeyChoice.STATIC)
}
"""Not those that others decide: a broadcast address, and a message without protection."""

_SIGNATURES = ("signing_key", "peer_public")
_AGREEMENT = ("agreement_key", "peer_agreement_public")
_NEEDED: dict[KeyChoice, tuple[str, ...]] = {
    KeyChoice.WRAPPED: ("kek",),
    # The meter agrees its answer with the client's static key, so both ends need all four.
    KeyChoice.ONE_PASS: (*_SIGNATURES, *_AGREEMENT),
    KeyChoice.STATIC: _AGREEMENT,
}
_AGREED = (KeyChoice.ONE_PASS, KeyChoice.STATIC)


def ways(form: Form | str | None, choice: KeyChoice | str | None) -> tuple[Form, KeyChoice]:
    """The form and the choice of key that a caller means.

    ``ValueError`` for a word that is none, or a choice where there is none.
    """
    chosen = KeyChoice.UNICAST if choice is None else _member(_CHOICES, choice)
    if form is None:
        return (Form.SERVICE if choice is None else Form.CIPHERING), chosen
    wanted = _member(_FORMS, form)
    if choice is not None and wanted is not Form.CIPHERING:
        raise ValueError("a key is chosen with general-ciphering only")
    return wanted, chosen


def check_keys(config: ClientConfig, keys: AssociationKeys) -> None:
    """``ValueError`` that says what is missing for messages to be protected as ``config`` says."""
    if not config.context.ciphered:
        return
    choice = config.key_choice if config.form is Form.CIPHERING else KeyChoice.UNICAST
    signed = bool(config.protection & Protection.SIGNED)
    no_pairs = SUITES[config.suite].curve is None
    for what, pairs, names in (
        (f"key choice {word(choice)}", choice in _AGREED, _NEEDED.get(choice, ())),
        ("signing", signed, _SIGNATURES if signed else ()),
    ):
        if pairs and no_pairs:
            raise ValueError(f"{what} needs security suite 1 or 2, not {config.suite}")
        lacking = [name for name in names if getattr(keys, name) is None]
        if config.anchors and "peer_public" in lacking:
            lacking.remove("peer_public")  # it may come in a certificate, in the AARE
        if lacking:
            raise ValueError(f"{what} needs {' and '.join(lacking)}")


def _member(words: dict[str, T], wanted: T | str) -> T:
    if not isinstance(wanted, str):
        return wanted
    if wanted not in words:
        raise ValueError(f"{wanted!r} is none of {', '.join(words)}")
    return words[wanted]
