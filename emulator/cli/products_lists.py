"""What everybody may see of the register: what was published, and nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise

from emulator.cli.failures import Exit
from emulator.cli.output import print_json, print_table
from emulator.products.combination import Combination
from emulator.products.errors import ProductsError
from emulator.products.lists import ListKind, ListRow
from emulator.products.placing import placing
from emulator.products.publication import Publication
from emulator.products.rendering import files_of
from emulator.products.store import ProductStore


def publish(store: ProductStore, args: argparse.Namespace) -> int:
    """Files and versions are there together, or neither."""
    with placing(args.out) as files:
        if args.as_of is not None:
            publications = store.reproduced(args.as_of)
            for publication in publications:
                files.write(files_of(publication))
        else:
            with store.publishing(args.on) as publications:
                for publication in publications:
                    files.write(files_of(publication))
    if args.json:
        print_json({"lists": [{**_about(one), "files": _names(args, one)} for one in publications]})
    else:
        for publication in publications:
            print(_heading(publication))
            print_table([(f"  {name}",) for name in _names(args, publication)])
        _say_if_none(publications)
    return Exit.DONE


def listed(store: ProductStore, args: argparse.Namespace) -> int:
    publications = store.published(args.as_of)
    found = [
        (one, [row for row in one.rows if has(row.combination, args.find)]) for one in publications
    ]
    if args.json:
        lists = [
            {**_about(one), "combinations": [row.content(one.kind) for row in rows]}
            for one, rows in found
        ]
        print_json({"lists": lists})
        return Exit.DONE
    _say_if_none(publications)
    for number, (publication, rows) in enumerate(found):
        if number:
            print()
        print(_heading(publication))
        if rows:
            print_table([_line(row, publication.kind) for row in rows], _header(publication.kind))
    return Exit.DONE


def show(store: ProductStore, args: argparse.Namespace) -> int:
    publications = store.publications()
    versions = [one for one in publications if args.id in one.ids]
    if not versions:
        raise ProductsError(f"{args.id} was on none of the published lists")
    combination = next(row.combination for row in versions[0].rows if row.combination.id == args.id)
    now = [one for one in store.published() if one in versions]
    rows = [(one, row) for one in now for row in one.rows if row.combination.id == args.id]
    if args.json:
        print_json(
            {
                "combination": args.id,
                **combination.content,
                "lists": [{"list": one.kind.value, **_extra(row)} for one, row in rows],
                "versions": [_about(one) for one in versions],
            }
        )
        return Exit.DONE
    print_table(described(combination))
    for publication, row in rows:
        more = [f"{name.replace('_', ' ')} {value}" for name, value in _extra(row).items()]
        print_table([("on the list", "; ".join([publication.kind.value, *more]))])
    print()
    print_table([_version(one) for one in versions], ("list", "version", "published"))
    return Exit.DONE


def history(store: ProductStore, args: argparse.Namespace) -> int:
    """What each version changed against the one before."""
    publications = store.publications()
    changes = [
        (after, sorted({*after.ids} - {*before}), sorted({*before} - {*after.ids}))
        for kind in ListKind
        for before, after in _steps([one for one in publications if one.kind is kind])
    ]
    if args.json:
        print_json(
            {
                "versions": [
                    {**_about(one), "added": added, "removed": removed}
                    for one, added, removed in changes
                ]
            }
        )
        return Exit.DONE
    _say_if_none(publications)
    for publication, added, removed in changes:
        print(_heading(publication))
        for sign, ids in (("+", added), ("-", removed)):
            for id in ids:
                print(f"  {sign} {id}")
    return Exit.DONE


def has(combination: Combination, wanted: str | None) -> bool:
    """Whether a text is in the combination, in whatever case."""
    if wanted is None:
        return True
    texts = [combination.id, combination.csp, *map(str, combination.models)]
    return any(wanted.casefold() in text.casefold() for text in texts)


def described(combination: Combination) -> list[tuple[str, str]]:
    models = [("Device Model", str(model)) for model in combination.models]
    return [("combination", combination.id), ("CSP", combination.csp), *models]


def _steps(versions: Sequence[Publication]) -> list[tuple[tuple[str, ...], Publication]]:
    return [
        *(((), one) for one in versions[:1]),
        *((before.ids, after) for before, after in pairwise(versions)),
    ]


def _about(publication: Publication) -> dict[str, object]:
    return {
        "list": publication.kind.value,
        "version": publication.version,
        "publication_date": str(publication.day),
        "content_hash": publication.content_hash,
    }


def _names(args: argparse.Namespace, publication: Publication) -> list[str]:
    return [str(args.out / name) for name in files_of(publication)]


def _version(publication: Publication) -> tuple[str, str, str]:
    return publication.kind.value, str(publication.version), str(publication.day)


def _heading(publication: Publication) -> str:
    name, version, day = _version(publication)
    return f"{name}, version {version} of {day}, {publication.content_hash}"


def _header(kind: ListKind) -> tuple[str, ...]:
    dates = ("first added", "tested through") if kind is ListKind.ELIGIBLE else ()
    return ("combination", *dates, "CSP", "Device Models")


def _line(row: ListRow, kind: ListKind) -> tuple[str, ...]:
    dates = (str(row.first_added), row.through or "-") if kind is ListKind.ELIGIBLE else ()
    one = row.combination
    return (one.id, *dates, one.csp, "; ".join(map(str, one.models)))


def _extra(row: ListRow) -> dict[str, str]:
    found = {"date_first_added": row.first_added, "tested_through": row.through}
    return {name: str(value) for name, value in found.items() if value is not None}


def _say_if_none(publications: Sequence[Publication]) -> None:
    if not publications:
        print("No list was published.")
