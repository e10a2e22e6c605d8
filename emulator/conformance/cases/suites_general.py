"""X_SUITE1_GENCIPH: general-ciphering, with each kind of key, and what is wrong with a header."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlms.security.ciphered import Form
from dlms.security.control import KEY_SET_BROADCAST, Protection
from dlms.security.general_ciphering import (
    decode_general_ciphering,
    encode_general_ciphering,
)
from dlms.security.general_header import GeneralHeader
from dlms.security.general_protection import protect_general
from dlms.security.key_choice import KeyChoice
from dlms.security.ops import CryptoOp, Seal, Use
from emulator.conformance.cases.securing import (
    Attempt,
    Which,
    by_suite,
    each_refused,
    is_general,
    read,
    shaped,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import protected, refused
from emulator.conformance.conversing.tree import Node, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_IDENTIFIED = shaped(Protection.BOTH, Form.CIPHERING)
_DATE_TIME = bytes.fromhex("07e80b1c04080000ff800000")
"""Any moment: what is authenticated is that there is none."""


def general_rows(
    trial: Trial, which: Which = is_general, what: str = ""
) -> list[DeclaredAssociation]:
    """One for each suite with general protection."""
    return by_suite(
        trial,
        lambda row: is_general(row) and which(row),
        f"with general protection {what}".rstrip(),
    )


# Each kind of key -----------------------------------------------------------------------------


def _under(*choices: KeyChoice) -> Sender:
    """A request under such keys in each suite: the first that was not answered as it must be, or
    the last.
    """

    async def send(trial: Trial) -> Seen:
        def has_keys(row: DeclaredAssociation) -> bool:
            known = trial.target.keys(row.keys)
            return all(
                None not in [getattr(known, name) for name in _NEEDED[choice]] for choice in choices
            )

        seen: Seen | None = None
        for row in general_rows(trial, has_keys, "and the keys for that"):
            probe = await trial.associated(row)
            for choice in choices:
                seen = await read(probe, row, shaped(Protection.BOTH, Form.CIPHERING, choice))
                if protected().judge(trial, seen) is not None:
                    return seen.having(notes=(*seen.notes, f"{row.name}: {choice.value}"))
        assert seen is not None  # general_rows() gives one
        return seen

    return send


_NEEDED = {
    KeyChoice.UNICAST: (),
    KeyChoice.WRAPPED: ("kek",),
    KeyChoice.ONE_PASS: ("signing_key", "peer_public", "peer_agreement_public"),
    KeyChoice.STATIC: ("agreement_key", "peer_agreement_public"),
}
"""Which keys must be at hand."""


@conversation("X_SUITE1_GENCIPH_KEYS")
def kinds_of_keys() -> Sequence[Node]:
    return (
        step("identified", _under(KeyChoice.UNICAST), protected()),
        step("wrapped", _under(KeyChoice.WRAPPED), protected()),
        step("agreed", _under(KeyChoice.ONE_PASS, KeyChoice.STATIC), protected()),
    )


# What is wrong with a header ------------------------------------------------------------------


def _rejecting(make: Callable[[Trial, DeclaredAssociation], dict[str, Attempt]]) -> Sender:
    """A right request first, and then wrong ones, each of which has to be refused."""

    async def send(trial: Trial) -> Seen:
        seen = Seen.found()
        for row in general_rows(trial):
            probe = await trial.associated(row)
            right = await read(probe, row, _IDENTIFIED)
            if protected().judge(trial, right) is not None:
                raise Unjudged(f"a right request is not answered by {row.name}: {right}")
            seen = await each_refused(trial, row, make(trial, row), probe)
            if refused().judge(trial, seen) is not None:
                return seen
        return seen

    return send


def _altered(change: Callable[[GeneralHeader], GeneralHeader]) -> Attempt:
    """A header that is another than was authenticated."""

    def after(octets: bytes) -> bytes:
        one = decode_general_ciphering(octets)
        return encode_general_ciphering(
            change(one.header), one.key_info, one.control, one.counter, one.body
        )

    async def attempt(probe: Probe) -> Seen:
        return await probe.get(shape=_IDENTIFIED, after=after)

    return attempt


def _alterations(trial: Trial, row: DeclaredAssociation) -> dict[str, Attempt]:
    changes = alterations(trial)
    return {f"{name} altered": _altered(change) for name, change in changes.items()}


def alterations(trial: Trial) -> dict[str, Callable[[GeneralHeader], GeneralHeader]]:
    """A change to each field of a header of ours."""
    title = b"CTT" + trial.rng.randbytes(5)
    return {
        "transaction-id": lambda header: header._replace(
            transaction_id=bytes((header.transaction_id[0] ^ 1,)) + header.transaction_id[1:]
        ),
        "originator-system-title": lambda header: header._replace(originator=title),
        "recipient-system-title": lambda header: header._replace(recipient=title),
        "date-time": lambda header: header._replace(date_time=_DATE_TIME),
        "other-information": lambda header: header._replace(other_information=b"\x01"),
    }


@conversation("X_SUITE1_GENCIPH_AAD")
def authenticated_header() -> Sequence[Node]:
    return (step("altered", _rejecting(_alterations), refused()),)


def _to_another(trial: Trial, row: DeclaredAssociation) -> dict[str, Attempt]:
    """All is right, but for whom it is."""
    title = b"CTT" + trial.rng.randbytes(5)
    transaction_id = trial.rng.randbytes(8)

    async def attempt(probe: Probe) -> Seen:
        general = probe.general
        assert general is not None  # the context is ciphered
        header = general.header(transaction_id)._replace(recipient=title)
        apdu = probe.get_request(LOGICAL_NAME).encode()
        step = protect_general(
            general, apdu, header, KeyChoice.UNICAST, Protection.BOTH, Use.PROTECT_REQUEST
        )
        return await probe.exchange(probe.run(step))

    return {"for another system title": attempt}


@conversation("X_SUITE1_GENCIPH_RECIPIENT")
def other_recipient() -> Sequence[Node]:
    return (step("recipient", _rejecting(_to_another), refused()),)


def _for_all(trial: Trial, row: DeclaredAssociation) -> dict[str, Attempt]:
    control = int(Protection.BOTH) | row.suite | KEY_SET_BROADCAST

    def alter(op: CryptoOp) -> CryptoOp:
        return op._replace(control=control) if isinstance(op, Seal) else op

    def after(octets: bytes) -> bytes:
        one = decode_general_ciphering(octets)
        return encode_general_ciphering(one.header, one.key_info, control, one.counter, one.body)

    async def attempt(probe: Probe) -> Seen:
        return await probe.get(shape=_IDENTIFIED, alter=alter, after=after)

    return {"with Key_Set 1": attempt}


@conversation("X_SUITE1_GENCIPH_KEYSET")
def key_set() -> Sequence[Node]:
    return (step("key-set", _rejecting(_for_all), refused()),)
