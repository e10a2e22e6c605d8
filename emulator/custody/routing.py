"""Which Cryptographic Module an operation goes to: strong enough first, then as it is configured.

A route says in what order the modules are asked, by who uses which keys. It never makes a module do
what the policy wants a stronger one for. Among those that are strong enough, one that has the keys,
or can be given them, is taken before one that has not; and keys are given to modules of a higher
class only, never to weaker ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoOp, keys_needed
from emulator.modules.module import CryptoModule
from emulator.policy import Actor, Decision, KeyUse
from emulator.policy.rule import ANY_ACTOR, ANY_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``modules`` in order of preference, for operations of one of ``actors`` in which a key of one
    of ``kinds`` and ``lifetimes`` decides the class. ``kinds`` is ``None`` for any key and for
    none.
    """

    modules: tuple[CryptoModule, ...]
    actors: frozenset[Actor] = ANY_ACTOR
    kinds: frozenset[KeyKind] | None = None
    lifetimes: frozenset[KeyLifetime] = ANY_LIFETIME

    def fits(self, actor: Actor, key: KeyUse | None) -> bool:
        if actor not in self.actors:
            return False
        if self.kinds is None and self.lifetimes == ANY_LIFETIME:
            return True
        return (
            key is not None
            and (self.kinds is None or key.kind in self.kinds)
            and key.lifetime in self.lifetimes
        )


class Routing:
    """Routes, of which the first that fits is taken.

    ``ValueError`` if there is none, or no module on one.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        if not routes or not all(route.modules for route in routes):
            raise ValueError("at least one Cryptographic Module is needed")
        self._routes = tuple(routes)
        self.modules = tuple(dict.fromkeys(m for route in routes for m in route.modules))

    @classmethod
    def in_order(cls, modules: Iterable[CryptoModule]) -> Routing:
        """Everything to the first of these that is strong enough."""
        return cls([Route(modules=tuple(modules))])

    def module_for(self, actor: Actor, decision: Decision, op: CryptoOp) -> CryptoModule:
        """The module that carries ``op`` out; where none is strong enough, the strongest."""
        modules = self._preferred(actor, decision.deciding_key)
        enough = [one for one in modules if one.module_class >= decision.module_class]
        if len(enough) == 1:
            return enough[0]
        if not enough:
            return max(modules, key=lambda module: module.module_class)
        needed = keys_needed(op)
        for module in enough:
            if all(module.holds(key) or self.giver(key, module) for key in needed):
                return module
        return enough[0]

    def gifts(self, op: CryptoOp, module: CryptoModule) -> list[tuple[KeyRef, CryptoModule]]:
        """The keys that ``module`` has to be given for ``op``, with who has them."""
        if len(self.modules) == 1:
            return []
        found = []
        for key in keys_needed(op):
            giver = None if module.holds(key) else self.giver(key, module)
            if giver is not None:
                found.append((key, giver))
        return found

    def giver(self, key: KeyRef, module: CryptoModule) -> CryptoModule | None:
        """Who has a key and may give it to ``module``."""
        for other in self.modules:
            weaker = other.module_class <= module.module_class
            if other is not module and weaker and other.gives and other.holds(key):
                return other
        return None

    def _preferred(self, actor: Actor, key: KeyUse | None) -> tuple[CryptoModule, ...]:
        for route in self._routes:
            if route.fits(actor, key):
                return route.modules
        # Where no route is meant for it, it goes to whoever there is, in the order of the file.
        return self.modules
