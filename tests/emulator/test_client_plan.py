"""What callers say about an association, and what the protocol core is given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.knobs import FIELD
from dlms.errors import LocalProtocolError
from dlms.security.ciphered import Form
from dlms.security.control import Protection
from dlms.security.counters import MAXIMUM, CounterTooLow, InvocationCounters
from dlms.security.key_choice import KeyChoice
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.xdlms.conformance import Conformance
from emulator.client import Keys, MeterFault, connect
from emulator.client.keys import PlaceCounters, dedicated_key, module_with
from emulator.client.options import Options
from emulator.client.plan import MAX_JUMP, Plan, plan
from emulator.counter_file import CounterFile, FiledCounters

GUEK, GAK = bytes(range(16)), bytes(range(16, 32))
KEYS = Keys(guek=GUEK, gak=GAK)
TITLE = b"CLI12345"
GMAC: Options = {"mechanism": "hls-gmac", "keys": KEYS, "own_title": TITLE}


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> InvocationCounters:
    """Each test is a process of its own."""
    counters = InvocationCounters()
    monkeypatch.setattr("emulator.client.plan.PROCESS", counters)
    return counters


def planned(place: str = "here", /, **how: Any) -> Plan:
    return plan(place, Options(**how))


def test_nothing_said_is_the_public_client() -> None:
    config = planned().config
    assert (config.client_sap, config.server_sap) == (16, 1)
    assert config.context is ApplicationContext.LN
    assert config.mechanism is Mechanism.NONE
    assert Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ in config.conformance


def test_general_blocks() -> None:
    config = planned().config
    assert Conformance.GENERAL_BLOCK_TRANSFER in config.conformance
    assert (config.block_window, config.always_in_blocks) == (16, False)
    config = planned(block_window=63, always_in_blocks=True).config
    assert (config.block_window, config.always_in_blocks) == (63, True)
    for window in (0, 64):
        wrong = planned(block_window=window)
        with pytest.raises(LocalProtocolError, match="1 to 63"):
            ClientAssociation(wrong.config, wrong.keys, wrong.counters)


def test_keys_make_a_ciphered_context() -> None:
    config = planned(**GMAC, counter=0).config
    assert config.context is ApplicationContext.LN_CIPHERED
    assert config.mechanism is Mechanism.HLS_GMAC
    assert config.protection is Protection.BOTH
    assert config.own_title == TITLE
    plain = planned(**GMAC, counter=0, ciphered=False, short_names=True).config
    assert plain.context is ApplicationContext.SN
    short = planned(**GMAC, counter=0, short_names=True).config
    assert short.context is ApplicationContext.SN_CIPHERED


def test_services_go_with_the_way_of_naming() -> None:
    blocks = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    both = blocks | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE | Conformance.MULTIPLE_REFERENCES
    logical = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS
    short = (
        Conformance.READ
        | Conformance.WRITE
        | Conformance.UNCONFIRMED_WRITE
        | Conformance.PARAMETERIZED_ACCESS
    )
    assert planned().config.conformance & (logical | short | both) == logical | both
    by_short = planned(short_names=True).config.conformance
    assert by_short & (logical | short | both) == short | both
    assert Conformance.BLOCK_TRANSFER_WITH_ACTION not in by_short
    chosen = planned(short_names=True, conformance=Conformance.READ).config
    assert chosen.conformance == Conformance.READ


def test_the_services_at_once_are_offered_too() -> None:
    assert Conformance.ACCESS in planned().config.conformance
    assert Conformance.ACCESS not in planned(short_names=True).config.conformance


def test_associations_without_answers() -> None:
    config = planned().config
    assert (config.confirmed, config.broadcast, config.pre_established) == (True, False, False)
    assert not planned(confirmed=False).config.confirmed
    assert planned(pre_established=True).config.pre_established
    keys = Keys(gbek=GUEK, gak=GAK)
    to_all = planned(broadcast=True, keys=keys, own_title=TITLE, counter=5)
    assert to_all.config.context is ApplicationContext.LN_CIPHERED
    assert (to_all.config.broadcast, to_all.config.confirmed) == (True, False)
    assert to_all.keys.gbek is not None
    assert to_all.counters.next_to_send(to_all.keys.gbek) == 5
    to_all.association()
    with pytest.raises(ValueError, match=r"need an encryption key \(gbek\)"):
        planned(broadcast=True, keys=KEYS, ciphered=True)
    # Nobody would say that it is open.
    confirmed = planned(broadcast=True, confirmed=True, keys=keys, own_title=TITLE, counter=5)
    with pytest.raises(LocalProtocolError, match="nothing confirms its AARQ"):
        confirmed.association()


def test_everything_said_is_there() -> None:
    how: Any = {
        "client_sap": 5,
        "server_sap": 17,
        "server_title": b"MTR12345",
        "protection": Protection.AUTHENTICATED,
        "form": Form.GENERAL,
        "conformance": Conformance.GET,
        "user": 7,
        "knobs": FIELD,
        "certificate": b"certificate",
        "anchors": (b"anchor",),
    }
    config = planned(**GMAC, **how, counter=0, dedicated=True).config
    assert {name: getattr(config, name) for name in how} == how
    assert config.dedicated is not None
    assert config.dedicated.lifetime is KeyLifetime.SINGLE_ASSOCIATION
    assert config.dedicated != dedicated_key()


def test_a_whole_configuration() -> None:
    config = ClientConfig(
        client_sap=16,
        server_sap=2,
        context=ApplicationContext.LN,
        mechanism=Mechanism.NONE,
        conformance=Conformance.GET,
    )
    assert planned(config=config, client_sap=3).config is config


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"mechanism": "hls-md4"}, "'hls-md4' is none of none, lls, hls, hls-md5"),
        ({"mechanism": "hls-gmac", "own_title": TITLE}, "need an encryption key"),
        ({"ciphered": True, "own_title": TITLE}, "need an encryption key"),
        ({"dedicated": True}, "goes with a ciphered context only"),
        ({"counter": 5}, "a counter goes with an encryption key only"),
        ({"counter_from": "0-0:43.1.1.255"}, "a counter goes with an encryption key only"),
        ({**GMAC}, "say where the counter begins"),
        ({**GMAC, "suite": 2, "counter": 0}, "guek has 16 octets, not the 32 of suite 2"),
        ({"keys": Keys(guek=GUEK[:-1]), "counter": 0}, "guek has 15 octets, not the 16 of suite 0"),
    ],
)
def test_what_does_not_go_together(how: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        planned(**how)


# How messages are protected -----------------------------------------------------------------------

PAIRS = Keys(
    guek=GUEK,
    gak=GAK,
    kek=bytes(16),
    signing_key=bytes(32),
    peer_public=bytes(64),
    agreement_key=bytes(32),
    peer_agreement_public=bytes(64),
)
SUITE_1: Any = {**GMAC, "keys": PAIRS, "suite": 1, "counter": 0}
SIGNED = Protection.BOTH | Protection.SIGNED


@pytest.mark.parametrize(
    ("form", "choice", "wanted"),
    [
        (None, None, (Form.SERVICE, KeyChoice.UNICAST)),
        ("service", None, (Form.SERVICE, KeyChoice.UNICAST)),
        ("general", None, (Form.GENERAL, KeyChoice.UNICAST)),
        ("general-ciphering", None, (Form.CIPHERING, KeyChoice.UNICAST)),
        (Form.CIPHERING, KeyChoice.STATIC, (Form.CIPHERING, KeyChoice.STATIC)),
        (None, "unicast", (Form.CIPHERING, KeyChoice.UNICAST)),
        (None, "wrapped", (Form.CIPHERING, KeyChoice.WRAPPED)),
        ("general-ciphering", "one-pass", (Form.CIPHERING, KeyChoice.ONE_PASS)),
        (None, "static", (Form.CIPHERING, KeyChoice.STATIC)),
    ],
)
def test_forms_and_choices_in_words(form: Any, choice: Any, wanted: tuple[Any, Any]) -> None:
    given = {"form": form, "key_choice": choice}
    said: Any = {name: word for name, word in given.items() if word is not None}
    config = planned(**SUITE_1, **said).config
    assert (config.form, config.key_choice) == wanted


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"form": "glo"}, "'glo' is none of service, general, general-ciphering"),
        ({"key_choice": "kek"}, "'kek' is none of unicast, wrapped, one-pass, static"),
        ({"form": "general", "key_choice": "wrapped"}, "a key is chosen with general-ciphering"),
    ],
)
def test_words_that_are_none(how: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        planned(**SUITE_1, **how)


@pytest.mark.parametrize(
    ("how", "needed"),
    [
        ({"key_choice": "unicast"}, ()),
        ({"key_choice": "wrapped"}, ("kek",)),
        ({"key_choice": "static"}, ("agreement_key", "peer_agreement_public")),
        (
            {"key_choice": "one-pass"},
            ("signing_key", "peer_public", "agreement_key", "peer_agreement_public"),
        ),
        ({"protection": SIGNED}, ("signing_key", "peer_public")),
        ({"protection": Protection.SIGNED}, ("signing_key", "peer_public")),
    ],
)
def test_the_keys_that_it_takes(how: Any, needed: tuple[str, ...]) -> None:
    every = ("kek", "signing_key", "peer_public", "agreement_key", "peer_agreement_public")
    lean: Any = {name: None for name in every if name not in needed}
    assert planned(**SUITE_1 | {"keys": replace(PAIRS, **lean)}, **how).keys.guek is not None
    what = f"key choice {how['key_choice']}" if "key_choice" in how else "signing"
    for name in needed:
        lacking: Any = {name: None}
        with pytest.raises(ValueError, match=f"^{what} needs {name}$"):
            planned(**SUITE_1 | {"keys": replace(PAIRS, **lacking)}, **how)
    if len(needed) > 1:
        none: Any = dict.fromkeys(needed)
        with pytest.raises(ValueError, match=f"^{what} needs {' and '.join(needed)}$"):
            planned(**SUITE_1 | {"keys": replace(PAIRS, **none)}, **how)


@pytest.mark.parametrize(
    "how", [{"key_choice": "static"}, {"key_choice": "one-pass"}, {"protection": SIGNED}]
)
def test_what_suite_0_has_not(how: Any) -> None:
    with pytest.raises(ValueError, match="needs security suite 1 or 2, not 0"):
        planned(**SUITE_1 | {"suite": 0}, **how)
    assert planned(**SUITE_1 | {"suite": 0}, key_choice="wrapped").config.suite == 0


def test_a_public_key_may_come_in_a_certificate() -> None:
    keys = replace(PAIRS, peer_public=None)
    how: Any = {"mechanism": "hls-ecdsa", "anchors": (b"anchor",), "protection": SIGNED}
    assert planned(**SUITE_1 | {"keys": keys} | how).config.anchors


def test_nothing_is_needed_where_nothing_is_ciphered() -> None:
    assert planned(protection=SIGNED).config.context is ApplicationContext.LN


# Keys and their counters --------------------------------------------------------------------------


def test_the_module_has_what_the_references_name() -> None:
    keys = Keys(
        guek=GUEK,
        gak=GAK,
        gbek=bytes(16),
        password=b"12345678",
        hls_secret=b"hls",
        signing_key=bytes(32),
        peer_public=bytes(64),
    )
    refs, module, _ = module_with(keys, 1)
    held = module._keys
    for ref, octets in (
        (refs.guek, GUEK),
        (refs.gak, GAK),
        (refs.gbek, bytes(16)),
        (refs.secret, b"12345678"),
        (refs.hls_secret, b"hls"),
        (refs.signing_key, bytes(32)),
    ):
        assert ref is not None
        assert held.get(ref) == octets
        assert octets.hex() not in str(ref)
    assert refs.peer_public == bytes(64)
    assert refs.guek is not None
    assert refs.guek.kind is KeyKind.GUEK


def test_a_key_has_one_name_and_another_key_another() -> None:
    """Counters are found by it, whatever the meter is called this time."""
    one, again = (planned(place, **GMAC, counter=0).keys for place in ("here", "there"))
    assert one.guek == again.guek
    other = planned(keys=Keys(guek=GAK), own_title=TITLE, counter=0).keys
    assert other.guek != one.guek


def test_meters_that_share_a_key() -> None:
    """Never the same counter to both; but each of them has its own floor."""
    store = InvocationCounters()
    here, there = (PlaceCounters(store, place) for place in ("here", "there"))
    key = KeyRef(b"", "12345678", KeyKind.GUEK)
    assert [here.burn(key), there.burn(key), here.burn(key)] == [0, 1, 2]
    there.raise_to(key, 10)
    assert here.next_to_send(key) == 10
    here.accept(key, 500)
    here.check(key, 501)
    with pytest.raises(CounterTooLow):
        here.check(key, 500)
    there.check(key, 0)
    assert (here.floor(key), there.floor(key)) == (501, 0)
    assert PlaceCounters(store, "here").floor(key) == 501


def test_counters_of_a_dedicated_key_end_with_it() -> None:
    store = InvocationCounters()
    counters = PlaceCounters(store, "here")
    key = dedicated_key()
    counters.establish(key)
    counters.burn(key)
    counters.accept(key, 3)
    counters.forget(key)
    assert store.snapshot() == ()


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


class Hesitant(InvocationCounters):
    """Lets other threads in between looking and taking."""

    def burn(self, ek: KeyRef) -> int:
        value = self.next_to_send(ek)
        for _ in range(200):
            pass
        self._next[ek] = value + 1
        return value


@pytest.mark.usefixtures("restless")
def test_threads_burn_no_counter_twice() -> None:
    store = Hesitant()
    key = KeyRef(b"", "12345678", KeyKind.GUEK)
    seen: list[int] = []

    def work() -> None:
        counters = PlaceCounters(store, "here")
        seen.extend(counters.burn(key) for _ in range(500))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(2000))


def test_floors_in_a_file(tmp_path: Path) -> None:
    file = CounterFile(tmp_path / "counters.json")
    key = KeyRef(b"", "12345678", KeyKind.GUEK)
    for store in (FiledCounters(file, floors=True), FiledCounters(file, floors=True)):
        counters = PlaceCounters(store, "here")
        floor = counters.floor(key)
        with pytest.raises(CounterTooLow):
            counters.check(key, floor - 1)
        counters.check(key, floor)
        counters.accept(key, floor + 4)
    assert FiledCounters(file, floors=True).floor(key._replace(scope="12345678/here")) == 10
    assert FiledCounters(file).floor(key._replace(scope="12345678/here")) == 0


# What the meter says about the counter ------------------------------------------------------------


def test_the_meters_counter_moves_ours_forward() -> None:
    here = planned(**GMAC, counter_from="0-0:43.1.1.255")
    key = here.keys.guek
    assert key is not None
    here.take_counter(1000)
    assert here.counters.next_to_send(key) == 1001
    here.take_counter(5)  # never back
    assert here.counters.next_to_send(key) == 1001
    here.take_counter(1001 + MAX_JUMP)
    assert here.counters.next_to_send(key) == 1002 + MAX_JUMP


@pytest.mark.parametrize("value", [None, b"\0\0\0\1", "1", -1, MAXIMUM])
def test_what_is_no_counter(value: object) -> None:
    with pytest.raises(MeterFault, match="holds no counter"):
        planned(**GMAC, counter_from="0-0:43.1.1.255").take_counter(value)


def test_a_counter_that_would_use_up_the_key() -> None:
    """KL-IC-17: nobody has protected that value."""
    here = planned(**GMAC, counter=1)
    with pytest.raises(MeterFault, match="too far"):
        here.take_counter(2 + MAX_JUMP)
    assert here.keys.guek is not None
    assert here.counters.next_to_send(here.keys.guek) == 1


# Keys of the caller's modules ---------------------------------------------------------------------


def test_references_keep_their_counters(process: InvocationCounters) -> None:
    key = KeyRef(TITLE, "s1sp", KeyKind.GUEK)
    store = InvocationCounters()
    here = planned(keys=AssociationKeys(guek=key), own_title=TITLE, counters=store)
    assert here.execute is None
    assert here.counters is store
    process.raise_to(key, 7)  # known, so it need not be said where it begins
    assert planned(keys=AssociationKeys(guek=key), own_title=TITLE).counters is process


async def test_references_need_a_runner(unused_tcp_port: int) -> None:
    client = connect("127.0.0.1", unused_tcp_port)
    client._channel = object()  # type: ignore[assignment]  # there is no need of one
    key = KeyRef(TITLE, "s1sp", KeyKind.GUEK)
    with pytest.raises(ValueError, match="keys by reference need a runner"):
        client.associate(keys=AssociationKeys(guek=key), own_title=TITLE, counter=0)


def test_a_title_is_needed() -> None:
    here = planned(keys=KEYS, counter=0)
    with pytest.raises(LocalProtocolError, match="needs a system title"):
        ClientAssociation(here.config, here.keys, here.counters)
