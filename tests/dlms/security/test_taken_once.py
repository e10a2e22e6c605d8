"""The same message twice, while the module takes its time over the first: taken once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.errors import DlmsError
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.key_choice import KeyChoice
from dlms.security.layers import open_layers, protect_layers
from dlms.security.ops import Open, Step, Use
from dlms.security.protect import Shape

APDU = bytes.fromhex("C0010000080000010000FF0200")
BOTH = Protection.BOTH
SHAPES = [
    Shape(Family.GLOBAL, Form.SERVICE, BOTH),
    Shape(Family.GLOBAL, Form.GENERAL, BOTH),
    *(Shape(Family.GLOBAL, Form.CIPHERING, BOTH, choice) for choice in KeyChoice),
]
SHAPES = [one for one in SHAPES if one.choice not in (KeyChoice.NONE, KeyChoice.BROADCAST)]


def until_open(step: Step[Any], execute: Callable[[Any], Any]) -> Open:
    """Drive ``step`` up to the deciphering, and no further."""
    op = next(step)
    while not isinstance(op, Open):
        op = step.send(execute(op))
    return op


def finish(step: Step[Any], op: Any, execute: Callable[[Any], Any]) -> Any:
    try:
        while True:
            op = step.send(execute(op))
    except StopIteration as stop:
        return stop.value


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_taken_once(pair: Any, shape: Shape) -> None:
    both = pair(1)
    octets = both.client.run(protect_layers(both.client.context, APDU, shape, Use.PROTECT_REQUEST))
    server = both.server
    first = open_layers(server.context, octets, Use.OPEN_REQUEST)
    second = open_layers(server.context, octets, Use.OPEN_REQUEST)
    waiting = until_open(first, server), until_open(second, server)
    assert finish(second, waiting[1], server).apdu == APDU
    with pytest.raises(DlmsError, match=r"below|another message"):
        finish(first, waiting[0], server)
