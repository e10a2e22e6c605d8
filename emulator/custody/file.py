"""The custody file: which Cryptographic Modules there are, and who uses which for what.

[modules.vault]                      # a name of one's own
kind = "token"                       # of emulator.modules.kinds; the rest is the kind's

[[routes]]                           # the first that fits is taken
actors = ["s1sp"]                    # left out: everyone
lifetimes = ["single-association"]   # left out: any
kinds = ["dedicated", "gak"]         # of the key that decides the class; left out: any, and none
modules = ["software", "vault"]      # in order of preference

A route never makes a module do what the policy wants a stronger one for: that is refused, or
observed (:mod:`emulator.custody`). The DCC Private Key for TLS is in the first module of the first
route that names its kind, and in OpenSSL where none does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from devices.profile.place import Place, Problems
from devices.profile.table import maybe, near, need, only
from dlms.security.keys import KeyKind, KeyLifetime
from dlms.words import member
from emulator import toml_file
from emulator.custody.routing import Route, Routing
from emulator.modules.kinds import KINDS, Kind, Supply
from emulator.modules.module import CryptoModule
from emulator.modules.tls_module import TlsModule
from emulator.policy import Actor
from emulator.policy.rule import ANY_ACTOR, ANY_LIFETIME
from emulator.toml_file import Written

E = TypeVar("E", bound=Enum)


class ModuleRow(NamedTuple):
    """A module that can be opened."""

    name: str
    kind: Kind
    options: Mapping[str, Any]


class RouteRow(NamedTuple):
    """A route by the names of its modules."""

    modules: tuple[str, ...]
    actors: frozenset[Actor]
    kinds: frozenset[KeyKind] | None
    lifetimes: frozenset[KeyLifetime]


class Opened(NamedTuple):
    """What a party has. ``tls`` has its DCC Private Key; ``None`` if OpenSSL has it."""

    routing: Routing
    tls: TlsModule | None


class CustodyFile(NamedTuple):
    """What the file says; nothing is open yet."""

    modules: Mapping[str, ModuleRow]
    routes: tuple[RouteRow, ...]

    def open(self, actor: Actor, supply: Supply) -> Opened:
        """The routes of a party, with modules that hold what is the party's own and no more.

        ``ValueError`` if no route is the party's, or if what is to hold its key for TLS cannot;
        and whatever a module says that cannot be opened.
        """
        theirs = [route for route in self.routes if actor in route.actors]
        if not theirs:
            raise ValueError(f"no route is for {actor.value}")
        opened: dict[str, CryptoModule] = {}
        for name in (name for route in theirs for name in route.modules):
            if name not in opened:
                row = self.modules[name]
                opened[name] = row.kind.make(name, row.options, supply)
        routes = [
            Route(
                modules=tuple(opened[name] for name in route.modules),
                actors=route.actors,
                kinds=route.kinds,
                lifetimes=route.lifetimes,
            )
            for route in theirs
        ]
        for_tls = next((r for r in routes if r.kinds and KeyKind.TLS_PRIVATE_KEY in r.kinds), None)
        return Opened(Routing(routes), None if for_tls is None else _for_tls(for_tls.modules[0]))


def _for_tls(module: CryptoModule) -> TlsModule:
    if not callable(getattr(module, "tls_sign", None)):
        raise ValueError(f"{module.name} has no keys for TLS")
    return cast(TlsModule, module)


SOFTWARE = "software"
_WITH_TOKENS = """
    [modules.software]
    kind = "software"
    [modules.token]
    kind = "token"
    [[routes]]
    actors = ["dcc"]
    modules = ["software"]
    [[routes]]
    actors = ["s1sp", "dco"]
    kinds = ["tls-private-key"]
    modules = ["token"]
    [[routes]]
    actors = ["s1sp", "dco"]
    modules = {in_order}
"""
BUILT_IN = {
    SOFTWARE: """
        [modules.software]
        kind = "software"
        [[routes]]
        modules = ["software"]
    """,
    "tokens": _WITH_TOKENS.format(in_order='["token"]'),
    "mixed": _WITH_TOKENS.format(in_order='["software", "token"]'),
}
"""Files that there need not be, by the words for them. Each party has everything in software, or in
its token; or in its token what asks for Level 3, and in software what the letter lets be there. The
DCC in its other roles signs requests and no more, and that is in software.
"""


def chosen(which: str) -> CustodyFile:
    """One of :data:`BUILT_IN`, or a file."""
    return parse(BUILT_IN[which], which) if which in BUILT_IN else load(Path(which))


def load(path: Path) -> CustodyFile:
    """:class:`~devices.profile.ProfileError` with file, line, and what was expected, of all that is
    wrong. Paths in it are relative to its folder.
    """
    return _file(toml_file.read(path), path.parent)


def parse(text: str, file: str) -> CustodyFile:
    return _file(toml_file.parse(text, file), Path())


def _file(written: Written, folder: Path) -> CustodyFile:
    table, place = written
    only(table, {"modules", "routes"}, place)
    problems = Problems()
    modules: dict[str, ModuleRow] = {}
    routes: list[RouteRow] = []
    names = need(table, "modules", dict, place)
    for name, row in names.items():
        with problems.collected():
            modules[name] = _module(name, row, place.at("modules").at(name), folder)
    with problems.collected():
        rows = need(table, "routes", list, place)
        if not rows:
            raise place.at("routes").error("at least one route is needed")
        for number, row in enumerate(rows):
            with problems.collected():
                routes.append(_route(row, names, place.at("routes").at(str(number))))
    problems.settle()
    return CustodyFile(modules, tuple(routes))


def _module(name: str, row: object, place: Place, folder: Path) -> ModuleRow:
    if not isinstance(row, dict):
        raise place.error("a table is needed")
    word = need(row, "kind", str, place)
    kind = KINDS.get(word)
    if kind is None:
        known = ", ".join(KINDS)
        raise place.at("kind").error(
            f"{word!r} is no kind of module{near(word, KINDS)}; known are {known}"
        )
    only(row, {"kind", *kind.options}, place)
    options = {key: value for key, value in row.items() if key != "kind"} | {"folder": folder}
    kind.check(options, place)
    return ModuleRow(name, kind, options)


def _route(row: object, modules: Mapping[str, object], place: Place) -> RouteRow:
    only(row, {"modules", "actors", "kinds", "lifetimes"}, place)
    assert isinstance(row, dict)  # only() has looked
    names = need(row, "modules", list, place)
    if not names:
        raise place.at("modules").error("at least one module is needed")
    for name in names:
        if name not in modules:
            known = ", ".join(modules)
            raise place.at("modules").error(
                f"{name!r} is no module{near(name, modules)}; there are: {known}"
            )
    kinds = _members(row, "kinds", KeyKind, None, place)
    return RouteRow(
        tuple(names),
        _members(row, "actors", Actor, ANY_ACTOR, place) or ANY_ACTOR,
        kinds,
        _members(row, "lifetimes", KeyLifetime, ANY_LIFETIME, place) or ANY_LIFETIME,
    )


def _members(
    row: dict[str, Any], key: str, enum: type[E], default: frozenset[E] | None, place: Place
) -> frozenset[E] | None:
    if key not in row:
        return default
    words = maybe(row, key, list, [], place)
    if not words or not all(isinstance(word, str) for word in words):
        raise place.at(key).error("a list of words is needed")
    try:
        return frozenset(member(enum, word) for word in words)
    except ValueError as error:
        raise place.at(key).error(str(error)) from None
