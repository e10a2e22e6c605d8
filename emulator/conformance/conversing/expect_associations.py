"""What may come back of AARQs and releases, by the words of the catalogue."""

from __future__ import annotations

from typing import Any

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.release import Rlre
from dlms.errors import CodecError
from dlms.words import word
from dlms.xdlms.errors import ConfirmedServiceError
from emulator.conformance.conversing.responses import element, first_octet
from emulator.conformance.conversing.tree import Expect, Mismatch, Node
from emulator.conformance.probing.seen import Seen

Diagnostic = UserDiagnostic | ProviderDiagnostic

_RESULT, _DIAGNOSTIC, _USER_INFORMATION = 0xA2, 0xA3, 0xBE
"""Tags of elements of an AARE."""


def _accepting(answer: str, diagnostic: Diagnostic | None, then: tuple[Node, ...]) -> Expect:
    expected = "an AARE that accepts"
    if diagnostic is not None:
        expected += f" ({word(diagnostic)})"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        aare = seen.message
        if not isinstance(aare, Aare):
            return Mismatch(expected, str(seen), first_octet(seen))
        if aare.result is not AssociationResult.ACCEPTED:
            said = f"{word(aare.result)}, {word(aare.diagnostic)}"
            return Mismatch(expected, f"an AARE that rejects: {said}", element(seen, _RESULT))
        if diagnostic is not None and aare.diagnostic is not diagnostic:
            said = f"an AARE that accepts ({word(aare.diagnostic)})"
            return Mismatch(expected, said, element(seen, _DIAGNOSTIC))
        if seen.problems:
            return Mismatch(f"{expected} and that may be taken", "; ".join(seen.problems))
        return None

    return Expect(answer, judge, then)


def accepted(*then: Node) -> Expect:
    """The association is there, without more passes."""
    return _accepting("accepted", UserDiagnostic.NULL, then)


def pending(*then: Node) -> Expect:
    """It accepts, and awaits pass 3."""
    return _accepting("pending", UserDiagnostic.AUTHENTICATION_REQUIRED, then)


def rejected(*diagnostics: Diagnostic, result: AssociationResult | None = None) -> Expect:
    """An AARE that rejects, with one of these diagnostics if there are any."""
    wanted = " or ".join(word(one) for one in diagnostics)
    expected = f"an AARE that rejects: {wanted}" if wanted else "an AARE that rejects"
    if result is not None:
        expected += f", {word(result)}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        aare = seen.message
        if not isinstance(aare, Aare):
            return Mismatch(expected, str(seen), first_octet(seen))
        said = f"{word(aare.result)}, {word(aare.diagnostic)}"
        if aare.result is AssociationResult.ACCEPTED:
            return Mismatch(expected, f"an AARE that accepts ({said})", element(seen, _RESULT))
        if result is not None and aare.result is not result:
            return Mismatch(expected, said, element(seen, _RESULT))
        if diagnostics and not any(aare.diagnostic is one for one in diagnostics):
            return Mismatch(expected, said, element(seen, _DIAGNOSTIC))
        return None

    return Expect("rejected", judge)


def initiate_error(code: int) -> Expect:
    """An AARE that rejects, and whose user-information is 0E 01 06 and that code."""
    expected = f"an AARE that rejects, with ConfirmedServiceError 0E 01 06 {code:02X}"

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        aare = seen.message
        if not isinstance(aare, Aare):
            return Mismatch(expected, str(seen), first_octet(seen))
        if aare.result is AssociationResult.ACCEPTED:
            return Mismatch(expected, "an AARE that accepts", element(seen, _RESULT))
        information = aare.user_information or b""
        try:
            error = ConfirmedServiceError.decode(information)
        except CodecError as why:
            actual = f"user-information {information.hex(' ') or 'absent'} ({why})"
            return Mismatch(expected, actual, element(seen, _USER_INFORMATION))
        if error.encode() != bytes((0x0E, 1, 6, code)):
            actual = f"ConfirmedServiceError {information.hex(' ')}"
            return Mismatch(expected, actual, element(seen, _USER_INFORMATION))
        return None

    return Expect("initiate-error", judge)


def released() -> Expect:
    """An RLRE; on HDLC the UA of DISC, by ``facts["released"]``."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if isinstance(seen.message, Rlre) or seen.facts.get("released"):
            return None
        return Mismatch("an RLRE, or the UA of DISC", str(seen), first_octet(seen))

    return Expect("released", judge)
