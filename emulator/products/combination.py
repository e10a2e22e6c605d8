"""Combinations: SMETS1 Device Models and a communications service provider (F2.10A).

The number of a combination is made of what is in it and of nothing else. Numbers that are given
out one after another would have gaps where a confidential combination has one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from emulator.products.canonical import canonical
from emulator.products.device_model import FIELDS, DeviceModel, device_model
from emulator.products.errors import ProductsError
from emulator.products.texts import text

ID = re.compile(r"DMC-[0-9A-F]{16}")
MAX_MODELS = 16
"""More devices than a home's set has; a line of the list has to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """``models`` are in order; :func:`combination` puts them so. ``csp`` is the communications
    service provider.
    """

    models: tuple[DeviceModel, ...]
    csp: str

    @property
    def id(self) -> str:
        digest = hashlib.sha256(canonical(self.content)).hexdigest()
        return f"DMC-{digest[:16].upper()}"

    @property
    def order(self) -> tuple[object, ...]:
        """By what it is, as lists have it: not by when it came."""
        return tuple(model.texts for model in self.models), self.csp

    @property
    def content(self) -> dict[str, Any]:
        rows = [dict(zip(FIELDS, model.texts, strict=True)) for model in self.models]
        return {"csp": self.csp, "device_models": rows}


def combination(models: Iterable[DeviceModel], csp: str) -> Combination:
    """:class:`ProductsError` if it has no Device Model, too many, or one twice."""
    ordered = sorted(models, key=lambda model: model.texts)
    if not ordered:
        raise ProductsError("a combination has at least one Device Model")
    if len(ordered) > MAX_MODELS:
        raise ProductsError(f"a combination has at most {MAX_MODELS} Device Models")
    for one, other in pairwise(ordered):
        if one == other:
            raise ProductsError(f"the Device Model {one} is in the combination twice")
    return Combination(models=tuple(ordered), csp=text(csp, "communications service provider"))


def combination_of(content: Mapping[str, Any]) -> Combination:
    """From what :attr:`Combination.content` gave."""
    rows = content["device_models"]
    return combination(
        (device_model(*(row[name] for name in FIELDS)) for row in rows), content["csp"]
    )


def combination_id(given: str) -> str:
    """A number as somebody typed it."""
    found = given.strip().upper()
    if not ID.fullmatch(found):
        raise ProductsError(f"{given.strip()!r} is no number of a combination (DMC-, 16 digits)")
    return found
