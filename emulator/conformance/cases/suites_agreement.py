"""X_SUITE1_KEYAGREE: global keys are agreed with C(2e, 0s), and offers that are not to be taken.

What is to be refused is offered for the broadcast key: if it is taken all the same, the association
still has the keys that it is protected with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dlms.client.new_keys import FIELDS, KEY_ID_OF
from dlms.cosem.security_setup import keys_data, keys_of
from dlms.errors import CodecError, DlmsError
from dlms.security.control import Protection
from dlms.security.key_agreement import KEY_IDS, Parties, Place, conclude, offer
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Sign, Step, Use
from dlms.security.suites import SUITES
from emulator.conformance.cases.key_changing import Change, act, change_of, give_back, take
from emulator.conformance.cases.securing import (
    Attempt,
    by_suite,
    each_refused,
    read,
    shaped,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found, is_success, protected, refused
from emulator.conformance.conversing.tree import Expect, Mismatch, Node, Sender, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_AGREED = Note[list[Change]]("keys that were agreed")

_AGREE = 3
_GBEK = KEY_ID_OF[KeyKind.GBEK]
_GUEK = KEY_ID_OF[KeyKind.GUEK]


def agreeing_rows(trial: Trial) -> list[DeclaredAssociation]:
    """One for each suite whose client has its signature key, the master key to have the first keys
    back with, and the device's public key.
    """

    def agrees(row: DeclaredAssociation) -> bool:
        known = trial.target.keys(row.keys)
        has = known.signing_key, known.peer_public, known.kek
        return bool(row.security_setup) and None not in has

    return by_suite(trial, agrees, "with signature keys and a master key")


def _parties(probe: Probe, row: DeclaredAssociation) -> Parties:
    config, keys = probe.config, probe.keys
    own, title = config.own_title, probe.accepted.title
    assert own is not None
    assert title is not None  # the context is ciphered
    assert keys.signing_key is not None
    assert keys.peer_public is not None  # agreeing_rows()
    return Parties(
        suite=row.suite,
        client_title=own,
        server_title=title,
        signing_key=keys.signing_key,
        peer_signing_public=keys.peer_public,
        algorithm_id=config.knobs.algorithm_id_form,
    )


class Offered(NamedTuple):
    """What is offered for a key: key_data, and where the ephemeral private key is."""

    pair: KeyRef
    data: bytes


def offered(trial: Trial, probe: Probe, row: DeclaredAssociation, key_id: int) -> Offered:
    number = trial.rng.getrandbits(32)
    lifetime = KeyLifetime.SINGLE_ASSOCIATION
    pair = KeyRef(b"", f"offered {key_id}", KeyKind.AGREEMENT_KEY, lifetime, number)
    return Offered(pair, probe.run(offer(_parties(probe, row), key_id, pair)))


def concluded(
    trial: Trial, probe: Probe, row: DeclaredAssociation, mine: dict[int, Offered], seen: Seen
) -> dict[str, bytes]:
    """The agreed keys by their names. :class:`DlmsError` says what is wrong with the answer: its
    form, a signature, a point that is none.
    """
    answers = keys_of(data_of(seen))
    if answers.keys() != mine.keys():
        raise CodecError("other keys than were offered", field="key_agreement")
    ring, agreed = trial.target.held(row).ring, {}
    for key_id, key_data in answers.items():
        kind = KEY_IDS[key_id]
        into = KeyRef(b"", f"agreed {key_id}", kind, version=trial.rng.getrandbits(32))
        place = Place(mine[key_id].pair, into)
        probe.run(conclude(_parties(probe, row), key_id, place, key_data))
        agreed[FIELDS[kind]] = ring.get(into)
        ring.discard(into)
    return agreed


# To be taken --------------------------------------------------------------------------------------


async def _agree(trial: Trial) -> Seen:
    """All keys at once, in each suite."""
    problems: list[str] = []
    agreed = trial.notes.keep(_AGREED, [])
    for row in agreeing_rows(trial):
        probe = await trial.associated(row)
        mine = {key_id: offered(trial, probe, row, key_id) for key_id in KEY_IDS}
        public = {key_id: one.data for key_id, one in mine.items()}
        seen = await act(probe, row, _AGREE, keys_data(public))
        if not is_success(seen):
            problems.append(f"{row.name}: {seen}")
            continue
        try:
            fresh = concluded(trial, probe, row, mine, seen)
        except DlmsError as error:
            problems.append(f"{row.name}: {error}")
            continue
        change = change_of(trial, row, fresh, derived=False)
        change.is_open = True
        take(trial, row, fresh)
        agreed.append(change)
    return Seen.found(problems)


async def _under_agreed(trial: Trial) -> Seen:
    """An association and a read in it, and then the first keys back."""
    seen = Seen.found(("no keys were agreed",))
    for change in trial.notes.kept(_AGREED):
        row = change.row
        probe = await trial.probe_of(row)
        seen = await probe.establish()
        if not probe.is_open:
            return seen.having(problems=("no association under the agreed keys",), message=None)
        seen = await read(probe, row, shaped(Protection.BOTH))
        if protected().judge(trial, seen) is not None:
            return seen
        await give_back(trial, change)
    return seen


@conversation("X_SUITE1_KEYAGREE_P")
def agreed() -> Sequence[Node]:
    return (
        step("agree", _agree, found("done")),
        step("under-agreed", _under_agreed, protected()),
    )


# Not to be taken ----------------------------------------------------------------------------------


def _offering(make: Callable[[Trial, Probe, DeclaredAssociation], bytes]) -> Sender:
    """key_data of that sort for the broadcast key, which has to be refused in each suite."""

    async def send(trial: Trial) -> Seen:
        seen = Seen.found()
        for row in agreeing_rows(trial):

            async def attempt(probe: Probe, row: DeclaredAssociation = row) -> Seen:
                data = make(trial, probe, row)
                return await act(probe, row, _AGREE, keys_data({_GBEK: data}))

            attempts: dict[str, Attempt] = {row.name: attempt}
            seen = await each_refused(trial, row, attempts)
            if refused().judge(trial, seen) is not None:
                return seen
        return seen

    return send


def _unsigned(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    return offered(trial, probe, row, _GBEK).data[: 2 * _coordinate(row)]


def _mis_signed(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    data = bytearray(offered(trial, probe, row, _GBEK).data)
    data[-1] ^= 1 << trial.rng.randrange(8)
    return bytes(data)


def _off_curve(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    """A right point with another last octet, and so none of the curve's."""
    size = 2 * _coordinate(row)
    point = bytearray(offered(trial, probe, row, _GBEK).data[:size])
    point[-1] ^= 1 << trial.rng.randrange(8)
    return _signed(probe, bytes(point))


def _infinity(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    """It has no coordinates: zeros stand for it in many libraries."""
    return _signed(probe, bytes(2 * _coordinate(row)))


def _about_another(trial: Trial, probe: Probe, row: DeclaredAssociation) -> bytes:
    return offered(trial, probe, row, _GUEK).data


def _coordinate(row: DeclaredAssociation) -> int:
    curve = SUITES[row.suite].curve
    assert curve is not None  # by_suite()
    return curve.value


def _signed(probe: Probe, public: bytes) -> bytes:
    key = probe.keys.signing_key
    assert key is not None  # agreeing_rows()

    def signing() -> Step[Any]:
        return (yield Sign(Use.AGREE_KEY, key, bytes((_GBEK,)) + public))

    signature: bytes = probe.run(signing())
    return public + signature


async def _same_again(trial: Trial) -> Seen:
    """The same offer twice. If both are taken, the device must have had a fresh key for each, or it
    has agreed the same key twice.
    """
    row = agreeing_rows(trial)[0]
    probe = await trial.associated(row)
    mine = offered(trial, probe, row, _GBEK)
    scalar = trial.target.held(row).ring.get(mine.pair)
    first = await act(probe, row, _AGREE, keys_data({_GBEK: mine.data}))
    if not is_success(first):
        raise Unjudged(f"the first offer is refused: {first}")
    agreed = concluded(trial, probe, row, {_GBEK: mine}, first)
    change = change_of(trial, row, agreed, derived=False)
    change.is_open = True
    take(trial, row, agreed)
    second = await act(probe, row, _AGREE, keys_data({_GBEK: mine.data}))
    if is_success(second):
        trial.target.held(row).ring.keep(mine.pair, scalar)
        again = await trial.associated(row)
        later = concluded(trial, again, row, {_GBEK: mine}, second)
        take(trial, row, later)
        if keys_of(data_of(first)) == keys_of(data_of(second)) or later == agreed:
            return Seen.found(("both offers were answered with the same key",), answer="done")
    await give_back(trial, change)
    return second


def _freshly() -> Expect:
    """Done with a fresh key: the sender has looked."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        if seen.problems or not is_success(seen):
            return Mismatch("a fresh key each time", "; ".join(seen.problems) or str(seen))
        return None

    return Expect("done", judge)


@conversation("X_SUITE1_KEYAGREE_N")
def not_agreed() -> Sequence[Node]:
    return (
        step("unsigned", _offering(_unsigned), refused()),
        step("mis-signed", _offering(_mis_signed), refused()),
        step("off-curve", _offering(_off_curve), refused()),
        step("infinity", _offering(_infinity), refused()),
        step("same-again", _same_again, refused(), _freshly()),
        step("key-id", _offering(_about_another), refused()),
    )
