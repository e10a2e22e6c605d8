"""Lines decoded: messages in their order, each with what it answers and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dlms.errors import CodecError
from emulator.decoding.association import REQUEST_TAGS, RESPONSE_TAGS, Association
from emulator.decoding.blocks import assembled
from emulator.decoding.captures import Secrets
from emulator.decoding.chunks import Line
from emulator.decoding.fields import MOST, Cut, Field, cut_framed
from emulator.decoding.frames import Unit, units
from emulator.decoding.keys import KeyChain
from emulator.decoding.layers import Layer, Means, layers_of, plain_of
from emulator.decoding.tls import is_tls, without_tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one unit of a line says. ``answers`` is the number of the message that it answers, after
    ``took`` seconds; ``state`` is that of the association, where it has changed.
    """

    number: int
    unit: Unit
    forward: bool | None
    layers: tuple[Layer, ...] = ()
    says: str = ""
    answers: int | None = None
    took: float | None = None
    state: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self.unit.problems, *(one for layer in self.layers for one in layer.problems))

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(one for layer in self.layers for one in layer.notes)

    @property
    def closed(self) -> bool:
        """Whether anything in it stays closed."""
        return any(layer.closed for layer in self.layers)

    def frames(self) -> Iterable[tuple[bytes, Cut]]:
        """What is around the APDU; nothing where it stands for itself."""
        for octets in self.unit.frames:
            if octets != self.unit.apdu:
                yield octets, cut_framed(octets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A line: ``number`` counts from 1. ``closed`` is what of it could not be opened."""

    number: int
    line: Line
    messages: tuple[Message, ...]
    closed: tuple[str, ...] = ()

    @property
    def problems(self) -> int:
        return len(self.closed) + sum(bool(one.problems) for one in self.messages)


@dataclass(slots=True)
class Decoder:
    """Decodes lines with the keys of ``chain``. ``titles`` are system titles besides those that are
    said in the lines; ``most`` how many elements of an array are shown.
    """

    chain: KeyChain
    titles: tuple[bytes, ...] = ()
    secrets: Secrets = field(default_factory=dict, repr=False)
    most: int = MOST
    _number: int = 0
    _heard: dict[bytes, None] = field(default_factory=dict)
    """Titles that were said in any line: a later one may have no AARQ."""

    def decode(self, lines: Iterable[Line], first: int = 1) -> list[Conversation]:
        """Each line, numbered from ``first`` on."""
        return [self._line(number, line) for number, line in enumerate(lines, first)]

    def _line(self, number: int, line: Line) -> Conversation:
        closed: tuple[str, ...] = ()
        if is_tls(line):
            line, closed = without_tls(line, self.secrets)
        associations: dict[frozenset[str], Association] = {}
        messages = []
        for unit in units(line):
            association = associations.setdefault(frozenset(unit.pair), Association())
            messages.append(self._message(unit, association))
        return Conversation(number=number, line=line, messages=tuple(messages), closed=closed)

    def _message(self, unit: Unit, association: Association) -> Message:
        self._number += 1
        number, forward = self._number, unit.forward
        if not unit.apdu:
            return Message(number=number, unit=unit, forward=forward, says=unit.head)
        if forward is None:
            forward = _guessed(unit.apdu)
        association.learn(unit.apdu, forward)
        self._heard.update(dict.fromkeys(association.titles.values()))
        means = Means(
            chain=self.chain,
            titles=association.originators(forward, (*self.titles, *self._heard)),
            about=association.about,
            most=self.most,
        )
        before = association.state
        layers = layers_of(unit.apdu, means)
        layers += _whole(association, layers[-1], forward, means)
        plain = plain_of(layers).octets
        if forward is None and plain is not unit.apdu:
            forward = _guessed(plain)
        answered = association.take(plain, number, unit.at)
        took = None
        if answered is not None and answered.at is not None and unit.at is not None:
            took = unit.at - answered.at
        return Message(
            number=number,
            unit=unit,
            forward=forward,
            layers=tuple(layers),
            says=_says(layers),
            answers=None if answered is None else answered.number,
            took=took,
            state=association.state if association.state != before else "",
        )


def _whole(
    association: Association, last: Layer, forward: bool | None, means: Means
) -> list[Layer]:
    """The layers of what its blocks make, if ``last`` was the last of them."""
    try:
        apdu, said = assembled(association, last.octets, forward)
    except CodecError as error:
        problem = f"the blocks together: {error}"
        return [Layer(octets=b"", fields=(), origin="put together", problems=(problem,))]
    return layers_of(apdu, means, said) if apdu else []


def _guessed(apdu: bytes) -> bool | None:
    """Which way an APDU goes, by what it is."""
    if apdu[0] in REQUEST_TAGS:
        return True
    return False if apdu[0] in RESPONSE_TAGS else None


_NAMES = ("class id", "logical name", "attribute", "method")
_OPENING = ("application-context-name", "mechanism-name", "result-source-diagnostic")
_VALUES = ("data", "data-access-result", "result", "state-error", "service-error")


def _says(layers: list[Layer]) -> str:
    """One line: what the outermost is, and what it is about."""
    found = plain_of(layers)
    if not found.fields:
        return _tag(layers[0].fields)
    outer, inner = _tag(layers[0].fields), _tag(found.fields)
    tags = [at for at, one in enumerate(found.fields) if one.name == "tag"]
    form = [one.value for one in found.fields[tags[0] + 1 : tags[0] + 2] if one.name == "choice"]
    name = "-".join((inner, *form))
    parts = [name if found.fields is layers[0].fields else f"{outer} > {name}"]
    parts += [one.value for one in found.fields if one.name in _NAMES][:3]
    parts += [
        f"= {one.value}" if one.name == "data" else one.value
        for one in found.fields
        if one.name in _VALUES and one.value and not one.secret
    ][:2]
    if inner in ("AARQ", "AARE"):
        parts += [one.value for one in found.fields if one.name in _OPENING]
    return " ".join(parts)


def _tag(fields: tuple[Field, ...]) -> str:
    return fields[0].value if fields else "nothing"
