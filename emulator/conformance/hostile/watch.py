"""What the head end was seen to do: each APDU of its association, with counters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dlms.acse.aarq import TAG as AARQ
from dlms.acse.release import RLRQ_TAG as RLRQ


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An APDU of the head end. ``key`` is the version of the key that is in force at the meter,
    ``peer`` the connection.
    """

    apdu: bytes
    peer: str
    family: str = ""
    counter: int | None = None
    key: int = 0

    @property
    def tag(self) -> int:
        return self.apdu[0] if self.apdu else -1

    @property
    def is_service(self) -> bool:
        return self.tag not in (AARQ, RLRQ)


@dataclass(slots=True, kw_only=True)
class Watch:
    """``acted`` is how much had been asked when the meter first misbehaved, ``None`` if it never
    came to that, and ``acted_last`` when it last did; ``acts`` how often, and ``cannot`` why it
    could not.
    """

    asked: list[Asked] = field(default_factory=list)
    acted: int | None = None
    acted_last: int = 0
    acts: int = 0
    cannot: str = ""
    opened: int = 0
    """Associations that stood, with HLS both ways verified by the meter."""
    opened_since: int = 0
    """The same, since the meter misbehaved."""

    @property
    def since(self) -> list[Asked]:
        """What was asked after the meter had misbehaved."""
        return [] if self.acted is None else self.asked[self.acted :]

    def goes_on(self) -> bool:
        """Whether a service was asked for in the association in which the meter misbehaved last,
        after that.
        """
        since = self.asked[self.acted_last :]
        if not self.acted_last or not since:
            return False
        return since[0].peer == self.asked[self.acted_last - 1].peer and since[0].is_service

    def repeated(self) -> tuple[int, ...]:
        """Counters that were used more than once under one key."""
        counted = (one for one in self.asked if one.counter is not None)
        used = Counter((one.family, one.key, one.counter or 0) for one in counted)
        return tuple(counter for (_, _, counter), times in used.items() if times > 1)

    def backward(self) -> tuple[int, ...]:
        """Counters that are below one that was used before under their key."""
        highest: dict[tuple[str, int], int] = {}
        lower = []
        for one in self.asked:
            if one.counter is None:
                continue
            where = one.family, one.key
            if one.counter < highest.get(where, 0):
                lower.append(one.counter)
            highest[where] = max(one.counter, highest.get(where, 0))
        return tuple(lower)

    def counters_since(self) -> tuple[int, ...]:
        return tuple(one.counter for one in self.since if one.counter is not None)
