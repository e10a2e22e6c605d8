"""Files that people or other programs write: each is read, or refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

from devices.profile import ProfileError
from devices.profile.load import load_text
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.security.control import Protection
from dlms.security.keys import KeyKind, KeyLifetime
from dlms.xdlms.conformance import Conformance
from emulator.anomaly.thresholds import ThresholdError, read_thresholds
from emulator.client import key_file
from emulator.conformance.catalogue.holdings import Catalogue, built_in
from emulator.conformance.declaration import loading
from emulator.conformance.reports import reading as runs
from emulator.conformance.reports.document import SCHEMA, VERSION, counted
from emulator.custody import file as custody
from emulator.enrolment.key_file import KeyFile, KeyFileRefused
from emulator.faults import catalogue as faults
from emulator.faults.kinds import KINDS
from emulator.fuzz.octets import laws, sources, words
from emulator.fuzz.octets.harness import Harness, Play, Structure
from emulator.fuzz.octets.harnesses import file_examples as examples
from emulator.fuzz.octets.on_disk import in_file
from emulator.fuzz.scenario import reading as scenarios
from emulator.fuzz.scenario.place import ScenarioError
from emulator.importing.dump import DumpError, read_dump, rights_of, values_of
from emulator.journal import StoreError
from emulator.keystore.importing import read_key_file
from emulator.ledger.chain import Link
from emulator.ledger.errors import LedgerError
from emulator.ledger.exported import ExportedLedger, write_json
from emulator.products.errors import ProductsError
from emulator.products.importing.lists import REQUEST_COLUMNS, import_list
from emulator.requests.variants import variants

_SCOPES = ("management", "dco", "s1sp")
_RUN = {
    "schema": SCHEMA, "schema_version": VERSION, "disclaimer": "", "device": "mine",
    "declaration": "mine.toml", "way": "tcp", "transport": "tcp", "port": 4059, "called": False,
    "seed": "1", "started": "2026-11-28T15:00:00Z", "version": "0.1", "strict": False,
    "summary": counted([]), "groups": [], "cases": [], "key_log": [],
}  # fmt: skip


def _json_of(found: object) -> bytes:
    return json.dumps(found).encode("utf-8")


JSON = Structure(read=json.loads, write=_json_of)


def toml(
    name: str,
    takes: str,
    play: Play,
    seeds: Callable[[], Iterable[bytes]],
    names: Callable[[], Iterable[bytes]],
    work: int = 4000,
) -> Harness:
    """A harness of a TOML file; ``names`` are words that it may have."""
    return Harness(
        name=name,
        takes=takes,
        play=play,
        seeds=lambda: (*seeds(), *words.deep_toml()),
        words=lambda: (*words.toml(), *names()),
        is_text=True,
        most=16384,
        work=work,
    )


def json_file(
    name: str,
    takes: str,
    play: Play,
    seeds: Callable[[], Iterable[bytes]],
    names: Callable[[], Iterable[bytes]],
) -> Harness:
    """A harness of JSON; ``names`` are words that it may have."""
    return Harness(
        name=name,
        takes=takes,
        play=play,
        seeds=lambda: (*seeds(), *words.deep_json()),
        words=lambda: (*words.json(), *names()),
        structure=JSON,
        is_text=True,
        most=16384,
        work=2000,
    )


def _from_disk(read: Callable[[Path], Any], errors: laws.Errors) -> Play:
    return laws.reader(lambda octets: in_file(octets, read), errors)


def _scenarios() -> Iterable[bytes]:
    folder = sources.FIXTURES / "scenarios"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        whole = json.loads(path.read_bytes())
        for one in whole["scenarios"][::6]:
            yield _json_of({**whole, "scenarios": [one]})


def _dump(octets: bytes) -> object:
    """Also what every object in it says."""
    dump = read_dump(octets, "dump.xml")
    for one in dump.objects.values():
        rights_of(one)
        values_of(one)
    return len(dump.objects), dump.left_out


def _dumps() -> Iterable[bytes]:
    folder = sources.FIXTURES / "dumps"
    for octets in sources.files(folder, "*.xml", 1 << 20):
        head, *parts = octets.split(b"<GXDLMS")
        for at in range(0, len(parts), 8):
            body = b"".join(b"<GXDLMS" + part for part in parts[at : at + 8])
            yield head + body.replace(b"</Objects>", b"") + b"</Objects>"


@cache
def _catalogue() -> Catalogue:
    return built_in()


def _declaration(text: str) -> object:
    return loading.parse(text, "declaration.toml", _catalogue())


def _ledger(path: Path) -> object:
    found = ExportedLedger(path)
    return found.head(), found.verify()


def _exported(links: list[Link], name: str, path: Path) -> bytes:
    write_json(path, links, name)
    return path.read_bytes()


def _ledgers() -> Iterable[bytes]:
    for octets in sources.files(sources.FIXTURES / "ledger", "demo.json", 1 << 20):
        found = in_file(octets, ExportedLedger)
        links = list(found.links())[:3]
        for count in range(len(links) + 1):
            yield in_file(b"", partial(_exported, links[:count], found.head().ledger))


def _products() -> Iterable[bytes]:
    columns: tuple[str, ...] = ("combination", "csp", "device_type", "manufacturer", "model")
    columns = (*columns, "hardware_version", "firmware_version")
    line = "1,Arqiva,ESME,LAB,METER,1,2.0"
    yield f"{','.join(columns)},{','.join(REQUEST_COLUMNS)}\n{line},X,party,no,requested\n".encode()
    head = f"{','.join(columns)},date_first_added,tested_through"
    yield f"# list: EPCL\n{head}\n{line},2019-03-26,\n".encode()


def _protocol_words() -> Iterable[bytes]:
    kinds = (ApplicationContext, Mechanism, Conformance, Protection)
    yield from words.texts(*kinds)


def _declared_words() -> Iterable[bytes]:
    yield from _protocol_words()
    yield from words.texts(others=(group for group in _catalogue().words.flags))


_PROFILE_ERRORS = (ProfileError,)

HARNESSES = (
    toml(
        "files.profile", "a profile", laws.text(partial(load_text, file="f.toml"), _PROFILE_ERRORS),
        lambda: (examples.PROFILE,), _protocol_words, 40_000,
    ),
    toml(
        "files.declaration", "a declaration", laws.text(_declaration, _PROFILE_ERRORS),
        lambda: (examples.DECLARATION,), _declared_words, 40_000,
    ),
    toml(
        "files.keys", "a key file", _from_disk(key_file.load, _PROFILE_ERRORS),
        lambda: (examples.KEYS,), lambda: words.texts(others=key_file.NAMES),
    ),
    toml(
        "files.custody", "a custody file",
        laws.text(partial(custody.parse, file="f.toml"), _PROFILE_ERRORS),
        lambda: (text.encode() for text in custody.BUILT_IN.values()),
        lambda: words.texts(KeyKind, KeyLifetime),
    ),
    toml(
        "files.faults", "a file of faults",
        laws.text(partial(faults.parse, file="f.toml", known={}), _PROFILE_ERRORS),
        lambda: (examples.FAULT,), lambda: words.texts(others=KINDS),
    ),
    toml(
        "files.thresholds", "a file of thresholds", laws.text(read_thresholds, (ThresholdError,)),
        lambda: (examples.THRESHOLDS,), lambda: words.texts(others=variants()),
    ),
    json_file(
        "files.scenarios", "a file of scenarios", _from_disk(scenarios.read, (ScenarioError,)),
        _scenarios, lambda: words.texts(others=scenarios.DEEDS),
    ),
    json_file(
        "files.run", "the document of a conformance run", _from_disk(runs.read, (runs.NoRun,)),
        lambda: (_json_of(_RUN),), lambda: words.texts(others=_RUN),
    ),
    json_file(
        "files.ledger", "a ledger that was exported", _from_disk(_ledger, (LedgerError,)),
        _ledgers, lambda: words.texts(KeyKind),
    ),
    json_file(
        "files.wrapped-keys", "keys of a keystore, wrapped",
        _from_disk(partial(read_key_file, scopes=_SCOPES), (StoreError,)),
        lambda: (_json_of(examples.WRAPPED),), lambda: words.texts(KeyKind, _SCOPES),
    ),
    json_file(
        "files.meter-keys", "keys of a meter from its supplier, wrapped",
        laws.text(KeyFile.from_text, (KeyFileRefused,)),
        lambda: (_json_of(examples.WRAPPED),), lambda: words.texts(KeyKind, _SCOPES),
    ),
    Harness(
        name="files.dump",
        takes="an object dump, XML",
        play=laws.reader(_dump, (DumpError,)),
        seeds=_dumps,
        words=lambda: (b"<!DOCTYPE", b"&lt;", b"<![CDATA[", b"</", b"/>", b"Type="),
        is_text=True,
        work=4000,
    ),
    Harness(
        name="files.products",
        takes="a list of device models, CSV",
        play=laws.reader(partial(import_list, file="f.csv"), (ProductsError,)),
        seeds=_products,
        words=lambda: (b'"', b'""', b",", b"\r\n", b"# list:", *words.texts(REQUEST_COLUMNS)),
        is_text=True,
        most=16384,
        work=4000,
    ),
)  # fmt: skip
