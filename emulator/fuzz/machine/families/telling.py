"""What the meter says unasked."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.fuzz import actions
from emulator.fuzz.machine.families.changing import LOST
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import Twist


def moves(palette: Palette) -> Iterator[Move]:
    def tell(plot: Plot, client: str, attribute: AttributeDescriptor) -> None:
        if plot.ready(client):
            plot.do(actions.Announce(attribute=attribute))

    def tell_under_new_keys(plot: Plot, client: str, kinds: tuple[str, ...], twist: Twist) -> None:
        """It is told between a change of keys and whatever comes next."""
        if plot.ready(client):
            plot.do(actions.Rotate(client=client, kinds=kinds, twist=twist))
            plot.do(actions.Announce(attribute=palette.attributes()[0]))
            plot.do(actions.Get(client=client, attribute=palette.attributes()[0]))

    yield Move("tell", tell, {"client": palette.clients, "attribute": palette.attributes()})
    if palette.keyed:
        kinds = (("GUEK",), ("GAK",), ("GUEK", "GAK"))
        draws = {"client": palette.keyed, "kinds": kinds, "twist": LOST}
        yield Move("tell under new keys", tell_under_new_keys, draws)
