"""What a client asks for in its association."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.axdr.data import Data
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.machine.drawing import SELDOM
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot


def moves(palette: Palette) -> Iterator[Move]:
    clients = palette.named

    def get(plot: Plot, client: str, attribute: AttributeDescriptor, raw: bool) -> None:
        if plot.ready(client, raw):
            plot.do(actions.Get(client=client, attribute=attribute))

    def write(plot: Plot, client: str, what: tuple[AttributeDescriptor, Data], raw: bool) -> None:
        if plot.ready(client, raw):
            attribute, value = what
            plot.do(actions.Set(client=client, attribute=attribute, value=value))

    def act(plot: Plot, client: str, number: int, raw: bool) -> None:
        if plot.ready(client, raw):
            method, parameter = palette.methods(client)[number]
            plot.do(actions.Act(client=client, method=method, parameter=parameter))

    attributes, values = palette.attributes(), palette.values()
    draws = {"client": clients, "raw": SELDOM}
    yield Move("get", get, {**draws, "attribute": attributes}, weight=2)
    yield Move("set", write, {**draws, "what": values}, weight=2)
    yield Move("act", act, {**draws, "number": (0, 1, 2, 3)})
