"""From operations of suites 1 and 2 to questions of the policy."""

from __future__ import annotations

import datetime as dt

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Agree,
    CertificatePurpose,
    CheckCertificate,
    CryptoOp,
    Curve,
    Digest,
    GenerateKeyPair,
    HashFunction,
    Seal,
    Sign,
    Unwrap,
    Use,
    Verify,
)
from emulator.custody.purposes import keys_used, purpose_of
from emulator.policy import LETTER, Actor, Category, ModuleClass, Purpose, Question, decide

METER = b"ITR\x42\0\0\0\1"
NOW = dt.datetime(2019, 3, 26, tzinfo=dt.UTC)
GUEK, GAK, KEK, SECRET, SIGNING, AGREEMENT = (
    KeyRef(METER, "s1sp", kind)
    for kind in (
        KeyKind.GUEK,
        KeyKind.GAK,
        KeyKind.KEK,
        KeyKind.HLS_SECRET,
        KeyKind.SIGNING_KEY,
        KeyKind.AGREEMENT_KEY,
    )
)
MESSAGE_KEY = KeyRef(METER, "s1sp", KeyKind.EPHEMERAL, KeyLifetime.SINGLE_ASSOCIATION, 1)


@pytest.mark.parametrize(
    ("use", "purpose"),
    [
        (Use.AGREE_KEY, Purpose.TRANSFER_KEY),
        (Use.TRANSFER_KEY, Purpose.TRANSFER_KEY),
        (Use.CERTIFICATE, Purpose.OTHER),
        (Use.REQUEST, Purpose.OTHER),
        (Use.ASSOCIATION, Purpose.ESTABLISH_ASSOCIATION),
        (Use.OPEN_RESPONSE, Purpose.PROCESS_RESPONSE),
        (Use.PROTECT_REQUEST, Purpose.GENERATE_INSTRUCTION),
        (Use.TOKEN, Purpose.GENERATE_INSTRUCTION),
    ],
)
def test_what_an_operation_is_for(use: Use, purpose: Purpose) -> None:
    assert purpose_of(use, Purpose.GENERATE_INSTRUCTION) is purpose


@pytest.mark.parametrize(
    ("op", "module_class", "clause"),
    [
        (Sign(Use.PROTECT_REQUEST, SIGNING, b""), ModuleClass.G2_45, "G2.45"),
        (Sign(Use.ASSOCIATION, SIGNING, b""), ModuleClass.G2_45, "G2.45"),
        (GenerateKeyPair(Use.CERTIFICATE, SIGNING, Curve.P256), ModuleClass.G2_45, "G2.45"),
        (
            Digest(Use.ASSOCIATION, HashFunction.SHA256, (SECRET, b"")),
            ModuleClass.G2_45,
            "G2.45",
        ),
        (
            Agree(Use.AGREE_KEY, AGREEMENT, b"", b"", GUEK._replace(version=1), 16),
            ModuleClass.LEVEL_3,
            "G2.44(c)",
        ),
        (
            # Both keys ask for the same class, so the clause is that of the first.
            Agree(Use.AGREE_KEY, AGREEMENT, b"", b"", MESSAGE_KEY, 16),
            ModuleClass.G2_45,
            "G2.45",
        ),
        (Unwrap(Use.TRANSFER_KEY, KEK, b"", MESSAGE_KEY), ModuleClass.LEVEL_3, "G2.44(c)"),
        (
            Seal(Use.PROTECT_REQUEST, MESSAGE_KEY, None, 0x21, METER, 0, b""),
            ModuleClass.G2_45,
            "G2.44(c)(iii)",
        ),
        (
            Seal(Use.PROTECT_REQUEST, MESSAGE_KEY, GAK, 0x31, METER, 0, b""),
            ModuleClass.LEVEL_3,
            "G2.44(c)",
        ),
        (Verify(Use.OPEN_RESPONSE, Curve.P256, b"", b"", b""), ModuleClass.NONE, "A1"),
        (
            CheckCertificate(Use.CERTIFICATE, b"", CertificatePurpose.SIGNATURE, (), NOW),
            ModuleClass.NONE,
            "A1",
        ),
    ],
)
def test_the_s1sp_and_a_category_2_device(
    op: CryptoOp, module_class: ModuleClass, clause: str
) -> None:
    question = Question(
        actor=Actor.S1SP,
        purpose=purpose_of(op.use, Purpose.GENERATE_INSTRUCTION),
        category=Category.CATEGORY_2,
        keys=keys_used(op),
    )
    decision = decide(question, LETTER)
    assert (decision.module_class, decision.clause) == (module_class, clause)
