"""What a meter's process can do: ciphered GETs answered per second of its processor time.

The same load generator for both (:mod:`load`): ours are meters, one association each, that verify,
decipher, read, encrypt and authenticate; the floor is a process that echoes as many octets as our
replies have, on the same event loop and transport, with the same cap on reads.

Aimed at is 0.35 of the floor. What is promised is much less: it was reached on a machine that was
busy with other things as well. A GET goes through some two hundred small functions of ours, and
after every switch the processor has to fetch them all again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from load import EchoLane, Load, MeterLane
from measure import FLOOR, OURS, Row
from place import Place

GROUP = "server"
ASSOCIATIONS = (1, 10, 50)
_REACHED = 0.07
_AIM = 0.35


def rows(place: Place) -> Iterator[Row]:
    """Each row holds its connections open until the next one is asked for."""
    for count in ASSOCIATIONS:
        with ExitStack() as stack:
            meters = [MeterLane(place, next(place.free_meters)) for _ in range(count)]
            echoes = [EchoLane(place, meters[0].reply) for _ in range(count)]
            for lane in (*meters, *echoes):
                stack.callback(lane.close)
            plural = "s" if count > 1 else ""
            yield Row(
                group=GROUP,
                name=f"ciphered GETs, {count} association{plural}",
                contestants={
                    OURS: Load(meters, place.meters_process),
                    FLOOR: Load(echoes, place.echo_process),
                },
                least={FLOOR: _REACHED},
                aim={FLOOR: _AIM},
            )
