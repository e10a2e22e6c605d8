"""What the presets make a server do: one table by hand, each row tried with every preset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.association.config import PASS_3
from dlms.association.events import AssociationOpened, RequestReceived
from dlms.association.knobs import PRESETS
from dlms.axdr.data import octet_string
from dlms.security.ciphered import Form
from dlms.security.ops import Seal
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest

GET = GetRequest(0x41, AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)).encode()
PLAIN = {"context": ApplicationContext.LN, "mechanism": Mechanism.NONE}

Make = Callable[..., Any]
"""A bench whose server has the preset."""


def dedicated_key_in_a_plain_context(make: Make, names: dict[str, Any]) -> bool:
    pair = make(**PLAIN)
    initiate = pair.initiate._replace(dedicated_key=bytes(16))
    return isinstance(pair.hit(pair.aarq(initiate.encode()).encode()).event, AssociationOpened)


def f_with_counter(inner: int, outer: int) -> Callable[[Make, dict[str, Any]], bool]:
    def opens(make: Make, names: dict[str, Any]) -> bool:
        pair = make()
        pair.begin()
        f = pair.f(pair.server.admitted.server_challenge, inner)
        pass_3 = ActionRequest(0x41, PASS_3, octet_string(f)).encode()
        event = pair.hit(pair.sealed(pass_3, counter=outer)).event
        return isinstance(event, AssociationOpened)

    return opens


def first_counter(make: Make, names: dict[str, Any]) -> int:
    pair = make()
    pair.begin()
    found: int = next(op.counter for op in pair.server_module.ops if isinstance(op, Seal))
    return found


def no_protection_in_the_control(make: Make, names: dict[str, Any]) -> bool:
    pair = make().connect()
    content = b"\x00" + (99).to_bytes(4, "big") + GET
    event = pair.hit(b"\xc8" + bytes((len(content),)) + content).event
    return isinstance(event, RequestReceived)


def answer_to_the_general_form(make: Make, names: dict[str, Any]) -> int:
    pair = make(client={"form": Form.GENERAL})
    reply = pair.hit(pair.ask(pair.client.open())).reply
    return Aare.decode(reply).user_information[0]


def new_key_at_once(make: Make, names: dict[str, Any]) -> bool:
    pair = make().connect()
    fresh = names["GUEK"]._replace(version=1)
    for module in (pair.server_module, pair.client_module):
        module.keys.keep(fresh, bytes(range(0x60, 0x70)))
    pair.server.adopt(pair.server_config, pair.keys._replace(guek=fresh))
    return isinstance(pair.hit(pair.sealed(GET, ek=fresh)).event, RequestReceived)


def code_for_a_wrong_tag(make: Make, names: dict[str, Any]) -> str:
    pair = make().connect()
    reply: bytes = pair.hit(pair.sealed(GET)[:-1] + b"\0").reply
    return reply.hex()


def rlre_says_something(make: Make, names: dict[str, Any]) -> bool:
    pair = make().connect()
    user = pair.sealed(pair.initiate.encode())
    reply = pair.hit(Rlrq(user_information=user).encode()).reply
    return Rlre.decode(reply).user_information is not None


# What is tried: strict, field, legacy.
TABLE: dict[Callable[[Make, dict[str, Any]], object], tuple[object, object, object]] = {
    dedicated_key_in_a_plain_context: (False, True, True),
    f_with_counter(inner=1, outer=2): (True, True, True),
    f_with_counter(inner=5, outer=5): (False, True, True),
    f_with_counter(inner=0, outer=1): (False, False, True),
    first_counter: (0, 1, 1),
    no_protection_in_the_control: (False, False, True),
    answer_to_the_general_form: (0xDB, 0xDB, 0x28),
    new_key_at_once: (True, True, False),
    code_for_a_wrong_tag: ("d80105", "d80105", "d80103"),
    rlre_says_something: (True, True, False),
}


@pytest.mark.parametrize("preset", ["strict", "field", "legacy"])
@pytest.mark.parametrize("row", TABLE.items(), ids=lambda row: row[0].__name__)
def test_preset(bench: Any, names: dict[str, Any], preset: str, row: Any) -> None:
    attempt, wanted = row

    def make(**kind: Any) -> Any:
        return bench(server={"knobs": PRESETS[preset]}, **kind)

    position = list(PRESETS).index(preset)
    assert attempt(make, names) == wanted[position]
