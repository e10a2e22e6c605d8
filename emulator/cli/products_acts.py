"""The verbs of ``products`` that write into the register."""

from __future__ import annotations

import argparse

from dlms.words import member, word
from emulator.cli.failures import Exit
from emulator.cli.output import print_json, print_table
from emulator.products import examples
from emulator.products.acts import Act, Indicated, Listed, Progressed, Removed, Requested
from emulator.products.combination import Combination, combination
from emulator.products.device_model import device_model
from emulator.products.errors import NotAllowed, ProductsError
from emulator.products.importing import import_list
from emulator.products.importing.table import MAX_OCTETS
from emulator.products.store import Dated, ProductStore
from emulator.products.testing import ParticipantKind, Progress


def request(store: ProductStore, args: argparse.Namespace) -> int:
    act = Requested(
        combination=_described(args),
        participant=args.participant,
        kind=member(ParticipantKind, args.kind),
        confidential=args.confidential,
    )
    return _of_request(store, args, act, args.participant)


def progress(store: ProductStore, args: argparse.Namespace) -> int:
    said = member(Progress, args.progress)
    act = Progressed(id=args.id, participant=args.participant, progress=said)
    return _of_request(store, args, act, args.participant)


def confidential(store: ProductStore, args: argparse.Namespace) -> int:
    act = Indicated(id=args.id, participant=args.participant, confidential=not args.lift)
    return _of_request(store, args, act, args.participant)


def eligible(store: ProductStore, args: argparse.Namespace) -> int:
    described = args.csp is not None or args.model is not None
    if described == (args.id is not None):
        raise ProductsError("give either the number of the combination, or --csp and --model")
    one = _described(args) if described else _known(store, args.id)
    return _of_entry(store, args, Listed(combination=one, through=args.through))


def withdraw(store: ProductStore, args: argparse.Namespace) -> int:
    if args.participant is None:
        return _of_entry(store, args, Removed(id=args.id))
    withdrawn = Progress.WITHDRAWN
    act = Progressed(id=args.id, participant=args.participant, progress=withdrawn)
    return _of_request(store, args, act, args.participant)


def take(store: ProductStore, args: argparse.Namespace) -> int:
    """``import``: nothing is said of what there was before."""
    try:
        with args.file.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ProductsError(f"{args.file}: cannot be read: {error.strerror}") from None
    acts = import_list(octets, str(args.file), args.on)
    store.write(acts)
    ids = [*dict.fromkeys(dated.act.id for dated in acts)]
    if args.json:
        print_json({"file": str(args.file), "combinations": ids})
    else:
        print(f"{args.file}: {len(ids)} combinations")
    return Exit.DONE


def seed(store: ProductStore, args: argparse.Namespace) -> int:
    store.write([dated._replace(day=args.on) for dated in examples.examples()])
    facts = examples.facts()
    if args.json:
        print_json({"facts": [fact._asdict() for fact in facts]})
    else:
        print_table(facts, examples.Fact._fields)
    return Exit.DONE


def _described(args: argparse.Namespace) -> Combination:
    if args.csp is None or not args.model:
        raise ProductsError("a combination is described by --csp and at least one --model")
    return combination((device_model(*texts) for texts in args.model), args.csp)


def _known(store: ProductStore, id: str) -> Combination:
    entry = store.register().entries.get(id)
    if entry is None:
        raise NotAllowed(f"nobody has asked for {id}: describe it by --csp and --model")
    return entry.combination


def _of_request(store: ProductStore, args: argparse.Namespace, act: Act, participant: str) -> int:
    """Write; say how that request stands, and nothing of others."""
    register = store.write([Dated(act, args.on)])
    found = register.entries[act.id].requests[participant]
    return _say(
        args,
        {
            "combination": act.id,
            "participant": participant,
            "participant_kind": word(found.kind),
            "progress": word(found.progress),
            "confidential": found.confidential,
            "since": str(found.day),
        },
    )


def _of_entry(store: ProductStore, args: argparse.Namespace, act: Listed | Removed) -> int:
    entry = store.write([Dated(act, args.on)]).entries[act.id]
    return _say(
        args,
        {
            "combination": act.id,
            "eligible": entry.listed,
            "date_first_added": str(entry.first_added),
            "tested_through": entry.through,
        },
    )


def _say(args: argparse.Namespace, said: dict[str, object]) -> int:
    if args.json:
        print_json(said)
    else:
        print_table([(key.replace("_", " "), _cell(value)) for key, value in said.items()])
    return Exit.DONE


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
