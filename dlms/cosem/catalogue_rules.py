"""Codes whose names are put together from those of their groups: what electricity and gas meters
measure.

Blue Book Part 1: group C is the quantity, D how it was processed, E a tariff rate, a harmonic or,
of angles, the two quantities between which they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

ELECTRICITY = 1
GAS = 7
MAX_TARIFF = 63
MAX_HARMONIC = 120
_ANGLE = 81
_INSTANTANEOUS = 7
_REGISTER, _EXTENDED_REGISTER, _DEMAND_REGISTER = 3, 4, 5
_MAXIMA = frozenset({3, 6, 13, 16, 23, 26})
_AVERAGES = frozenset({4, 5, 14, 15, 24, 25, 27, 28})

_SUFFIX = re.compile(r"(.+)_(tariff|harmonic)_(\d{1,3})")


class Named(NamedTuple):
    """Name and text of a code, and the class that usually shows it."""

    name: str
    text: str
    class_id: int


def slug(text: str) -> str:
    return text.lower().replace(" ", "_").replace("-", "_")


class Rules:
    """The tables of the groups, and every combination of C and D by its name."""

    __slots__ = ("_angles", "_distortions", "_harmonic_c", "_harmonic_d", "_pairs", "bases")

    def __init__(self, electricity: Mapping[str, Any], gas: Mapping[str, Any]) -> None:
        self._distortions = {int(e): row for e, row in electricity["distortions"].items()}
        self._harmonic_c = frozenset(electricity["harmonics"]["quantities"])
        self._harmonic_d = frozenset(electricity["harmonics"]["processing"])
        self._pairs: dict[tuple[int, int, int], Named] = {}
        self._angles = {
            10 * int(first) + int(second): f"{name} to {other}"
            for first, other in electricity["angles"].items()
            for second, name in electricity["angles"].items()
        }
        self._add_electricity(electricity)
        self._add_gas(gas)
        self.bases = {row.name: key for key, row in self._pairs.items()}

    def _add_electricity(self, table: Mapping[str, Any]) -> None:
        quantities = {int(c): row for c, row in table["quantities"].items()}
        for first, phase in table["phases"].items():
            for c in range(1, 21):
                texts = [f"{text} {phase}" for text in quantities[c]]
                quantities[int(first) + c - 1] = texts
        for c, texts in quantities.items():
            for d, (how, suffix) in table["processing"].items():
                self._add(ELECTRICITY, c, int(d), slug(texts[0]), texts[0], how, suffix)
            for d, (how, suffix) in table["integrals"].items():
                if len(texts) == 1 and not suffix:
                    # Without a word for its integral, the processing needs one.
                    how, suffix = "time integral 1", "integral_1"
                self._add(ELECTRICITY, c, int(d), slug(texts[-1]), texts[-1], how, suffix)

    def _add_gas(self, table: Mapping[str, Any]) -> None:
        for c, text in table["quantities"].items():
            for d, (how, suffix) in table["processing"].items():
                self._add(GAS, int(c), int(d), f"gas_{slug(text)}", f"gas, {text}", how, suffix)

    def _add(self, a: int, c: int, d: int, name: str, text: str, how: str, suffix: str) -> None:
        name = f"{name}_{suffix}" if suffix else name
        class_id = _REGISTER
        if a == ELECTRICITY and d in _MAXIMA:
            class_id = _EXTENDED_REGISTER
        elif a == ELECTRICITY and d in _AVERAGES:
            class_id = _DEMAND_REGISTER
        self._pairs[a, c, d] = Named(name, f"{text}, {how}", class_id)

    def find(self, code: bytes) -> Named | None:
        """What the groups A and C to E say, whatever B and F are; ``None`` if they say nothing."""
        a, _, c, d, e, _ = code
        if (a, c, d) == (ELECTRICITY, _ANGLE, _INSTANTANEOUS):
            angle = self._angles.get(e)
            if angle is None:
                return None
            return Named(f"angle_{slug(angle)}", f"angle of {angle}", _REGISTER)
        base = self._pairs.get((a, c, d))
        if base is None or e == 0:
            return base
        if a == ELECTRICITY and c in self._harmonic_c and d in self._harmonic_d:
            if e <= MAX_HARMONIC:
                return _more(base, f"harmonic_{e}", f"harmonic {e}")
            distortion = self._distortions.get(e)
            return _more(base, distortion[1], distortion[0]) if distortion else None
        return _more(base, f"tariff_{e}", f"tariff {e}") if e <= MAX_TARIFF else None

    def code(self, name: str) -> bytes | None:
        """The code of channel 0 and F 255 that :meth:`find` calls ``name``."""
        for base, e in self._readings(name):
            key = self.bases.get(base)
            if key is not None:
                a, c, d = key
                code = bytes((a, 0, c, d, e, 0xFF))
                found = self.find(code)
                if found is not None and found.name == name:
                    return code
        if name.startswith("angle_"):
            for e in self._angles:
                code = bytes((ELECTRICITY, 0, _ANGLE, _INSTANTANEOUS, e, 0xFF))
                found = self.find(code)
                if found is not None and found.name == name:
                    return code
        return None

    def _readings(self, name: str) -> list[tuple[str, int]]:
        """The ways in which a name may be a base and a number for group E."""
        ways = [(name, 0)]
        match = _SUFFIX.fullmatch(name)
        if match is not None and int(match[3]) <= MAX_HARMONIC:
            ways.append((match[1], int(match[3])))
        for e, (_, suffix) in self._distortions.items():
            if name.endswith(f"_{suffix}"):
                ways.append((name.removesuffix(f"_{suffix}"), e))
        return ways


def _more(base: Named, name: str, text: str) -> Named:
    return Named(f"{base.name}_{name}", f"{base.text}, {text}", base.class_id)
