"""What a meter does to invocation counters. All that it sends verifies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from dlms.acse.aare import Aare
from dlms.security.counters import MAXIMUM
from dlms.xdlms.codes import ServiceErrorCode, StateError
from dlms.xdlms.errors import ExceptionResponse
from emulator.conformance.hostile.vice import Vice
from emulator.conformance.probing.line import visible_counter
from emulator.serving.taps import Parcel

AHEAD = 1000
"""Messages by which a counter is ahead, or behind."""


class CounterBack(Vice):
    """The responses of an association have counters below those that opened it, and were never
    used before.
    """

    kind: ClassVar[str] = "counter-back"
    _next = 0
    _before = 0

    def prepare(self) -> None:
        guek = self.stage.guek
        if guek is not None:
            self._next = self.stage.device.state.counters.next_to_send(guek)
            self.stage.device.state.counters.raise_to(guek, self._next + AHEAD)

    def request(self, parcel: Parcel) -> Iterable[Parcel]:
        guek, counters = self.stage.guek, self.stage.device.state.counters
        if guek is None:
            self.stage.cannot("its association has no encryption key")
            return (parcel,)
        if not self._before:
            self._before = counters.next_to_send(guek)
        floor = counters.floor(guek)
        counters.establish(guek)
        counters.raise_to(guek, self._next)
        if floor:
            counters.accept(guek, floor - 1)
        self._next += 1
        self.stage.acts(f"it sends with counter {self._next - 1}")
        return (parcel,)


class FirstCounter(Vice):
    """The first counter under a new key is 0, which is right."""

    kind: ClassVar[str] = "first-counter"
    first_counter: ClassVar[int] = 0

    def aare(self, aare: Aare) -> Aare:
        guek = self.stage.guek
        information = aare.user_information or b""
        counter = visible_counter(information)[1]
        if guek is None or counter != 0:
            shown = "without a counter" if counter is None else f"with counter {counter}"
            self.stage.cannot(f"its first message is {shown}: the key is not new")
        else:
            self.stage.acts("the first counter is 0")
        return aare


class ExceptionCounter(Vice):
    """The first request is refused for its counter, by an ExceptionResponse that nobody protects.
    ``which`` counter it says: lower than what was used, higher, as the meter then really asks for,
    or absurd, near the end of all counters.
    """

    kind: ClassVar[str] = "exception-counter"
    _done = False

    def request(self, parcel: Parcel) -> Iterable[Parcel]:
        used = visible_counter(parcel.octets)[1]
        guek = self.stage.guek
        if used is None or guek is None:
            self.stage.cannot("its requests are not ciphered")
            return (parcel,)
        if self._done:
            return (parcel,)
        self._done = True
        which = self.parameters["which"]
        if which == "higher":
            said = used + AHEAD
            self.stage.device.state.counters.accept(guek, said - 1)
        else:
            said = MAXIMUM - 1 if which == "absurd" else max(used // 2, 0)
        self.stage.acts(f"invocation-counter-error says {said}, the request had {used}")
        said_so = ExceptionResponse(
            state_error=StateError.SERVICE_UNKNOWN,
            service_error=ServiceErrorCode.INVOCATION_COUNTER_ERROR,
            invocation_counter=said,
        )
        return (parcel._replace(answer=said_so.encode()),)
