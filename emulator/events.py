"""What happens at the meters of a sandbox, for people and programs that watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEvent:
    """``kind`` is a stable word, ``text`` a line to read. No secret is ever in it."""

    meter: str
    kind: str
    peer: str = ""
    association: str = ""
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        parts = (self.meter, self.peer, self.association, self.kind, self.text)
        return "  ".join(part for part in parts if part)


OnMeterEvent: TypeAlias = Callable[[MeterEvent], None]


def ignore(event: MeterEvent) -> None:
    """Nobody watches."""


class FanOut(Generic[T]):
    """Tells each thing to several that watch, in the order in which they came."""

    def __init__(self, *watchers: Callable[[T], None]) -> None:
        self._watchers = list(watchers)

    def add(self, watcher: Callable[[T], None]) -> None:
        self._watchers.append(watcher)

    def remove(self, watcher: Callable[[T], None]) -> None:
        self._watchers.remove(watcher)

    def __call__(self, what: T) -> None:
        for watcher in self._watchers:
            watcher(what)


class Held:
    """Keeps what happens until it is :meth:`released <release>`, and hands it on then."""

    def __init__(self, on_event: OnMeterEvent) -> None:
        self._on_event = on_event
        self._held: list[MeterEvent] | None = []

    def __call__(self, event: MeterEvent) -> None:
        if self._held is None:
            self._on_event(event)
        else:
            self._held.append(event)

    def release(self) -> None:
        held, self._held = self._held or (), None
        for event in held:
            self._on_event(event)
