"""Opening a token, losing it and having it again."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    Curve,
    Discard,
    GenerateKey,
    GenerateKeyPair,
    KeyUnavailable,
    Open,
    PublicKey,
    Random,
    Seal,
    Unwrap,
    Use,
    VerificationFailed,
    Wrap,
)
from emulator.custody import Custody, Errand, Mode
from emulator.ledger import Ledger, Outcome
from emulator.modules.keyring import KeyRing
from emulator.modules.pkcs11.failures import TokenUnavailable
from emulator.modules.pkcs11.kept import WrappedInMemory
from emulator.modules.pkcs11.library import library
from emulator.modules.pkcs11.module import Pkcs11Module
from emulator.modules.pkcs11.pin import PinMissing, pin_in_environment, pin_in_file
from emulator.modules.pkcs11.preparing import OtherSecret, prepare
from emulator.modules.pkcs11.token import Token
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor, Category, ModuleClass, Purpose

METER = b"ACL\x13\0\0\0\1"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)
KEK = KeyRef(METER, "s1sp", KeyKind.KEK)
ROTATED = GUEK._replace(version=1)
DEDICATED = KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)
SIGNING = KeyRef(METER, "s1sp", KeyKind.SIGNING_KEY, version=1)


def seal(ek: KeyRef) -> Seal:
    return Seal(Use.ASSOCIATION, ek, None, 0x30, METER, 1, b"payload")


# Who it is ----------------------------------------------------------------------------------------


def test_what_it_says_of_itself(made: Any) -> None:
    module = Pkcs11Module(made.open())
    assert module.name == f"SoftHSM ({made.label})"
    assert module.module_class is ModuleClass.LEVEL_3
    assert module.emulated is True
    assert module.blocks is True
    facts = module.token.facts
    assert facts.model == "SoftHSM v2"
    assert [str(lack) for lack in facts.lacks] == ["Digest of a secret (C_DigestKey with CKM_MD5)"]
    by_serial = Token(library=made.library, serial=facts.serial, pin=lambda: "unused")
    assert by_serial.name == facts.serial


def test_whoever_chose_the_token_may_know_better(made: Any) -> None:
    module = Pkcs11Module(made.open(), emulated=False, module_class=ModuleClass.G2_45)
    assert (module.emulated, module.module_class) == (False, ModuleClass.G2_45)


def test_a_token_is_named(made: Any) -> None:
    with pytest.raises(ValueError, match="label"):
        Token(library=made.library, pin=lambda: "")


def test_a_token_that_nobody_has_seen(made: Any) -> None:
    token = Token(library=made.library, label="no such token", pin=lambda: "")
    with pytest.raises(TokenUnavailable, match="sees no token 'no such token'"):
        Pkcs11Module(token)


def test_the_wrong_serial_of_the_right_label(made: Any) -> None:
    with pytest.raises(TokenUnavailable, match="serial 0123"):
        Pkcs11Module(made.open(serial="0123"))


def test_no_library(tmp_path: Path) -> None:
    token = Token(library=tmp_path / "nothing.so", label="any", pin=lambda: "")
    with pytest.raises(TokenUnavailable, match=r"nothing\.so"):
        Pkcs11Module(token)


# PIN ----------------------------------------------------------------------------------------------


def test_a_wrong_pin_is_presented_once(made: Any) -> None:
    """A token locks itself after some of them."""
    pins = ["wrong", "wrong", "1234 of the tests"]
    token = made.open(lambda: pins.pop(0))
    with pytest.raises(TokenUnavailable, match="refuses the PIN: PinIncorrect"):
        token.run(lambda connection: None)
    with pytest.raises(TokenUnavailable, match="has refused this PIN"):
        token.run(lambda connection: None)
    token.run(lambda connection: None)
    assert pins == []


def test_pin_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    source = pin_in_file(path)
    with pytest.raises(PinMissing, match="no PIN file"):
        source()
    path.touch(0o600)
    with pytest.raises(PinMissing, match="empty"):
        source()
    path.write_text("1234\n")
    assert source() == "1234"
    path.chmod(0o640)
    with pytest.raises(PermissionError, match="0640"):
        source()


def test_pin_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    source = pin_in_environment("A_PIN")
    with pytest.raises(PinMissing, match="A_PIN"):
        source()
    monkeypatch.setenv("A_PIN", "1234")
    assert source() == "1234"


def test_no_pin_where_it_should_be(made: Any, tmp_path: Path) -> None:
    with pytest.raises(TokenUnavailable, match="no PIN file"):
        Pkcs11Module(made.open(pin_in_file(tmp_path / "pin")))


# One thread ---------------------------------------------------------------------------------------


def test_every_call_is_in_the_one_thread(made: Any) -> None:
    token = made.open()
    seen = {token.run(lambda connection: threading.get_ident()) for _ in range(3)}
    other: list[int] = []
    thread = threading.Thread(
        target=lambda: other.append(token.run(lambda connection: threading.get_ident()))
    )
    thread.start()
    thread.join()
    assert seen == set(other)
    assert threading.get_ident() not in seen


async def test_the_event_loop_goes_on_while_the_token_is_busy(made: Any) -> None:
    """Operations of many associations at once, and nothing waits for them but they."""
    module = Pkcs11Module(made.open())
    custody = Custody([module], LETTER, Mode.ENFORCE, ledger := Ledger())
    errand = Errand(Actor.DCO, "meter", Category.CATEGORY_2, Purpose.GENERATE_INSTRUCTION)
    begun, go_on = threading.Event(), threading.Event()

    def busy(connection: object) -> None:
        begun.set()
        assert go_on.wait(30)

    def step() -> Any:
        return (yield seal(GUEK))

    blocking = asyncio.get_running_loop().run_in_executor(None, module.token.run, busy)
    await asyncio.to_thread(begun.wait, 30)
    waiting = [asyncio.create_task(custody.run(step(), errand)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    go_on.set()
    await blocking
    expected = SoftwareModule(KeyRing(made.secrets)).execute(seal(GUEK))
    assert await asyncio.gather(*waiting) == [expected] * 3
    assert {(entry.module, entry.emulated, entry.sufficient) for entry in ledger} == {
        (module.name, True, True)
    }


# Lost and found -----------------------------------------------------------------------------------


def pull_out(made: Any, module: Pkcs11Module) -> Callable[[], None]:
    """The token's folder is gone, as a token that was pulled out; return how to put it back."""
    serial = module.token.facts.serial
    (folder,) = (one for one in made.tokens.iterdir() if serial[-8:] in one.name.replace("-", ""))
    away = made.tokens.parent / "pulled out"
    folder.rename(away)
    return lambda: void(away.rename(folder))


def finalize(made: Any, module: Pkcs11Module) -> Callable[[], None]:
    """Somebody else in this process has finalized the library."""
    code = ctypes.CDLL(str(made.library)).C_Finalize
    assert library(made.library).run(lambda: code(None)) == 0
    return lambda: None


def close_all_sessions(made: Any, module: Pkcs11Module) -> Callable[[], None]:
    code = ctypes.CDLL(str(made.library)).C_CloseAllSessions
    slot = module.token.run(lambda connection: connection.session.token.slot.slot_id)
    assert library(made.library).run(lambda: code(ctypes.c_ulong(slot))) == 0
    return lambda: None


def log_out(made: Any, module: Pkcs11Module) -> Callable[[], None]:
    code = ctypes.CDLL(str(made.library)).C_Logout
    session = module.token.run(lambda connection: connection.session.handle)
    assert library(made.library).run(lambda: code(ctypes.c_ulong(session))) == 0
    return lambda: None


def void(_: object) -> None:
    return None


@pytest.mark.parametrize("lose", [pull_out, finalize, close_all_sessions, log_out])
def test_a_token_is_lost_and_comes_back(made: Any, lose: Callable[..., Any]) -> None:
    kept = WrappedInMemory()
    module = Pkcs11Module(made.open(), kept, lambda ref: 1)
    module.execute(GenerateKey(Use.TRANSFER_KEY, ROTATED, 16))
    module.execute(GenerateKey(Use.ASSOCIATION, DEDICATED, 16))
    public = module.execute(GenerateKeyPair(Use.CERTIFICATE, SIGNING, Curve.P256))
    lasting = [seal(GUEK), seal(ROTATED), Wrap(Use.TRANSFER_KEY, KEK, ROTATED)]
    before = [module.execute(op) for op in lasting]

    put_back = lose(made, module)
    # A key that is not in the session yet: SoftHSM goes on with those that are.
    fresh = GUEK._replace(holder=b"ACL\x13\0\0\0\2")
    with pytest.raises(TokenUnavailable, match=f"{made.label}.* is lost"):
        module.execute(seal(fresh))
    if lose is pull_out:
        with pytest.raises(TokenUnavailable, match=made.label):
            module.execute(seal(GUEK))
    put_back()

    assert [module.execute(op) for op in lasting] == before
    assert module.execute(PublicKey(Use.CERTIFICATE, SIGNING)) == public
    module.execute(seal(fresh))
    # What was in the session alone is gone with it.
    with pytest.raises(KeyUnavailable, match="no key"):
        module.execute(seal(DEDICATED))
    module.execute(Discard(Use.ASSOCIATION, DEDICATED))
    module.execute(GenerateKey(Use.ASSOCIATION, DEDICATED, 16))
    module.execute(seal(DEDICATED))


def test_a_message_is_not_blamed_for_a_token_that_is_gone(made: Any) -> None:
    """Tokens say the same of both: that a tag is wrong is believed of one that is there."""
    module = Pkcs11Module(made.open())
    bent = bytearray(module.execute(seal(GUEK)))
    bent[-1] ^= 1
    unwrap = Unwrap(Use.TRANSFER_KEY, KEK, bytes(24), ROTATED)
    for op in (Open(Use.ASSOCIATION, GUEK, None, 0x30, METER, 1, bytes(bent)), unwrap):
        with pytest.raises(VerificationFailed):
            module.execute(op)
        put_back = pull_out(made, module)
        try:
            with pytest.raises(TokenUnavailable, match="is lost"):
                module.execute(op)
        finally:
            put_back()
        with pytest.raises(VerificationFailed):
            module.execute(op)


async def test_a_lost_token_is_in_the_ledger_as_a_failure(made: Any) -> None:
    module = Pkcs11Module(made.open())
    custody = Custody([module], LETTER, Mode.ENFORCE, ledger := Ledger())
    errand = Errand(Actor.DCO, "meter", Category.CATEGORY_2, Purpose.GENERATE_INSTRUCTION)

    def step() -> Any:
        return (yield seal(GUEK))

    close_all_sessions(made, module)
    with pytest.raises(TokenUnavailable):
        await custody.run(step(), errand)
    await custody.run(step(), errand)
    assert [entry.outcome for entry in ledger] == [Outcome.FAILED, Outcome.DONE]


def test_the_ending_of_one_process_is_no_loss_for_keys(made: Any) -> None:
    """Another module on the same token, with the same keys beside it: the next process."""
    kept = WrappedInMemory()
    first = Pkcs11Module(made.open(), kept, lambda ref: 1)
    first.execute(GenerateKey(Use.TRANSFER_KEY, ROTATED, 16))
    public = first.execute(GenerateKeyPair(Use.CERTIFICATE, SIGNING, Curve.P256))
    sealed = first.execute(seal(ROTATED))
    first.execute(Discard(Use.TRANSFER_KEY, GUEK))
    first.close()
    second = Pkcs11Module(made.open(), kept, lambda ref: 1)
    assert second.execute(seal(ROTATED)) == sealed
    assert second.execute(PublicKey(Use.CERTIFICATE, SIGNING)) == public
    with pytest.raises(KeyUnavailable):  # it is not derived again
        second.execute(seal(GUEK))


# Getting it ready ---------------------------------------------------------------------------------


def test_a_token_is_prepared_once(made: Any) -> None:
    token = made.open()
    assert prepare(token, made.secrets) == ()
    assert prepare(token, {**made.secrets, "more": bytes(32)}) == ("cosemlab scope more",)
    with pytest.raises(OtherSecret, match="'s1sp'"):
        prepare(token, {"s1sp": bytes(32)})


def test_who_has_the_secrets_of_some_scopes_derives_no_other_keys(made: Any) -> None:
    module = Pkcs11Module(made.open())
    module.execute(seal(GUEK))
    with pytest.raises(KeyUnavailable):
        module.execute(seal(GUEK._replace(scope="dco")))


def test_without_a_token_nothing_is_drawn_elsewhere(made: Any) -> None:
    module = Pkcs11Module(made.open())
    put_back = pull_out(made, module)
    module.close()
    try:
        with pytest.raises(TokenUnavailable):
            module.execute(Random(Use.ASSOCIATION, 8))
    finally:
        put_back()
    assert len(module.execute(Random(Use.ASSOCIATION, 8))) == 8
