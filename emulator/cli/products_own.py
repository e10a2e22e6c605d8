"""``products ... --internal``: the DCC's own view of its register, with what is withheld marked."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from dlms.words import word
from emulator.cli.failures import Exit
from emulator.cli.output import print_json, print_table
from emulator.cli.products_lists import described, has
from emulator.products.acts import Record, detail, kind_of
from emulator.products.errors import ProductsError
from emulator.products.register import Entry
from emulator.products.store import ProductStore
from emulator.products.testing import Request

_WITHHELD = "withheld"


def listed(store: ProductStore, args: argparse.Namespace) -> int:
    """The register itself, published or not."""
    entries = sorted(
        store.register(args.as_of).entries.values(), key=lambda entry: entry.combination.order
    )
    found = [entry for entry in entries if has(entry.combination, args.find)]
    if args.json:
        print_json({"combinations": [_document(entry) for entry in found]})
    elif not found:
        print("Nothing is in the register.")
    else:
        header = (
            "combination",
            "status",
            "list",
            "first added",
            "CSP",
            "Device Models",
            "requests",
        )
        print_table([_line(entry) for entry in found], header)
    return Exit.DONE


def show(store: ProductStore, args: argparse.Namespace) -> int:
    entry = store.register().entries.get(args.id)
    if entry is None:
        raise ProductsError(f"{args.id} is not in the register")
    acts = [record for record in store.records() if record.act.id == args.id]
    if args.json:
        print_json({**_document(entry), "history": _acts(acts)})
        return Exit.DONE
    print_table(
        [
            *described(entry.combination),
            ("status", entry.status.value),
            ("list", _place(entry) or "-"),
            ("first added", str(entry.first_added or "-")),
            ("tested through", entry.through or "-"),
            *(("request", _request(request)) for request in entry.requests.values()),
        ]
    )
    print()
    _print(acts)
    return Exit.DONE


def history(store: ProductStore, args: argparse.Namespace) -> int:
    """Every act. What was published is what ``history`` without ``--internal`` shows."""
    records = store.records()
    if args.json:
        print_json({"acts": _acts(records)})
    elif records:
        _print(records)
    else:
        print("Nothing is in the register.")
    return Exit.DONE


def _document(entry: Entry) -> dict[str, object]:
    return {
        "combination": entry.combination.id,
        **entry.combination.content,
        "status": word(entry.status),
        "withheld": entry.is_withheld,
        "date_first_added": None if entry.first_added is None else str(entry.first_added),
        "tested_through": entry.through,
        "requests": [
            {
                "participant": request.participant,
                "participant_kind": word(request.kind),
                "progress": word(request.progress),
                "confidential": request.confidential,
                "since": str(request.day),
            }
            for request in entry.requests.values()
        ],
    }


def _place(entry: Entry) -> str:
    """On which list it is to be, or that it is kept from one."""
    if entry.listed:
        return "Eligible"
    if entry.is_withheld:
        return _WITHHELD
    return "Pending" if entry.is_shown_pending else ""


def _line(entry: Entry) -> tuple[str, ...]:
    return (
        entry.combination.id,
        entry.status.value,
        _place(entry) or "-",
        str(entry.first_added or "-"),
        entry.combination.csp,
        "; ".join(map(str, entry.combination.models)),
        "; ".join(map(_request, entry.requests.values())) or "-",
    )


def _request(request: Request) -> str:
    mark = ", CONFIDENTIAL" if request.confidential else ""
    return f"{request.participant} ({request.kind.value}): {request.progress.value}{mark}"


def _acts(records: Iterable[Record]) -> list[dict[str, object]]:
    return [
        {
            "number": record.number,
            "written": record.written.isoformat(),
            "day": str(record.day),
            "act": kind_of(record.act),
            "combination": record.act.id,
            "detail": detail(record.act),
        }
        for record in records
    ]


def _print(records: Iterable[Record]) -> None:
    rows = []
    for record in records:
        said = [
            f"{name.replace('_', ' ')} {str(value).lower() if isinstance(value, bool) else value}"
            for name, value in detail(record.act).items()
            if name != "device_models" and value is not None
        ]
        written = record.written.isoformat(sep=" ", timespec="seconds")
        number, day, kind = str(record.number), str(record.day), kind_of(record.act)
        rows.append((number, written, day, kind, record.act.id, ", ".join(said)))
    print_table(rows, ("number", "written", "day", "act", "combination", "what"))
