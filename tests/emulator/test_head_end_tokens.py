"""Both parties with their keys in tokens, each in its own, and real meters."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dlms.security.keys import KeyKind
from emulator.cli.ledger_view import print_ledger, print_shortfall
from emulator.custody import OPENSSL
from emulator.head_end.party import SCOPES
from emulator.head_end.services import HeadEnd
from emulator.ledger import Ledger
from emulator.modules.keyring import scope_secrets
from emulator.modules.pkcs11 import softhsm
from emulator.modules.pkcs11.kept import WrappedInMemory
from emulator.modules.pkcs11.module import Pkcs11Module
from emulator.modules.pkcs11.preparing import prepare
from emulator.modules.pkcs11.token import Token
from emulator.policy import Actor

PIN = "a PIN of the tests"


@pytest.fixture(scope="session")
def tokens(softhsm_folder: Path, fleet_secret: bytes) -> dict[Actor, str]:
    """A token for each party, by its label."""
    library = softhsm.find_library()
    labels = {}
    for actor in (Actor.S1SP, Actor.DCO):
        label = labels[actor] = f"{actor.value} {secrets.token_hex(4)}"
        softhsm.make_token(library, label, PIN, PIN)
        token = Token(library=library, label=label, pin=lambda: PIN)
        prepare(token, scope_secrets(fleet_secret, SCOPES[actor]))
        token.close()
    return labels


@pytest.fixture
def modules(tokens: dict[Actor, str]) -> Iterator[dict[Actor, Pkcs11Module]]:
    with ExitStack() as stack:
        opened = {}
        for actor, label in tokens.items():
            token = Token(library=softhsm.find_library(), label=label, pin=lambda: PIN)
            opened[actor] = Pkcs11Module(token, WrappedInMemory())
            stack.callback(opened[actor].close)
        yield opened


@pytest.fixture
def token_head_end(
    make_party: Callable[..., Any],
    make_means: Callable[..., Any],
    modules: dict[Actor, Pkcs11Module],
) -> HeadEnd:
    s1sp, dco = (make_party(actor, modules=[modules[actor]]) for actor in (Actor.S1SP, Actor.DCO))
    return HeadEnd(s1sp, dco, make_means())


@pytest.mark.parametrize("name", ["aclara", "honeywell_elster", "itron", "landis_gyr", "secure"])
async def test_a_meter_under_keys_in_tokens(
    name: str,
    token_head_end: HeadEnd,
    place: Any,
    ledger: Ledger,
    modules: dict[Actor, Pkcs11Module],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Credit as the S1SP, an Instruction through the DCO, new keys: only TLS falls short."""
    meter, head_end = place(name), token_head_end
    before = (await head_end.status(meter.address, meter.profile)).balance
    await head_end.top_up(meter.address, meter.profile, Decimal("5.00"))
    await head_end.instruct(meter.address, meter.profile, "disable_supply")
    await head_end.rotate(meter.address, meter.profile, Actor.DCO, (KeyKind.GUEK, KeyKind.KEK))
    await head_end.instruct(meter.address, meter.profile, "arm_supply")
    status = await head_end.status(meter.address, meter.profile)
    assert (status.balance, status.supply) == (before + 5, "armed")
    # The DSP only signs and verifies requests, in software.
    for entry in [entry for entry in ledger if entry.actor is not Actor.DCC]:
        in_token = entry.module == modules[entry.actor].name
        assert in_token is (entry.module != OPENSSL.name)
        assert entry.emulated is in_token
        assert entry.sufficient is in_token
    print_ledger(ledger)
    print_shortfall(ledger)
    shown = capsys.readouterr().out
    assert "yes, emulated" in shown
    emulated = sum(entry.emulated for entry in ledger)
    assert f"{emulated} on a module that only plays one of its class." in shown


def test_no_party_can_use_the_keys_of_the_other(
    modules: dict[Actor, Pkcs11Module],
) -> None:
    resident = {
        actor: module.token.run(lambda connection: set(connection.resident))
        for actor, module in modules.items()
    }
    common = resident[Actor.S1SP] & resident[Actor.DCO]
    assert common == {"cosemlab storage key"}
