"""``fuzz learn``: the association machine of a meter, as it shows itself to who asks words."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from emulator import profiles
from emulator.cli import failures
from emulator.cli.fuzz_learn_declared import rows, subject
from emulator.cli.fuzz_learning_options import MOST_OF_OTHERS, USUAL
from emulator.cli.output import print_json
from emulator.conformance.declaration.of_profile import Circumstances, declare, keys_of
from emulator.conformance.running.declared import read_target, target_of
from emulator.fuzz.actions import Plant
from emulator.fuzz.learning.comparing import Compared, compared
from emulator.fuzz.learning.learner import Enough, Unsteady
from emulator.fuzz.learning.showing import as_json, dot, listed, verdict
from emulator.fuzz.learning.subject import Subject, associations, in_process
from emulator.provisioning import registered_titles
from emulator.sandbox import Sandbox
from tls.pki import TestPki


def learn(args: argparse.Namespace) -> int:
    most = args.most
    if args.against is not None and most is None:
        most = MOST_OF_OTHERS
    found: list[Compared] = []
    with _subjects(args) as subjects:
        for asked in subjects:
            try:
                found.append(compared(asked, extra=args.extra, most=most))
            except (Enough, Unsteady) as error:
                raise ValueError(f"{asked.name}: {error}") from error
    if args.json:
        print_json([as_json(one) for one in found])
    elif args.dot:
        for one in found:
            print(dot(one.learned.machine, one.name))
    else:
        for one in found:
            _print(one)
    differs = any(one.difference is not None for one in found)
    return failures.Exit.FAILED if differs else failures.Exit.DONE


def _print(found: Compared) -> None:
    print("\n".join(listed(found.learned.machine)))
    for why in dict.fromkeys(row.why for row in found.explained):
        print(f"explained: {why}")
    print(verdict(found))
    print()


@contextmanager
def _subjects(args: argparse.Namespace) -> Iterator[Iterator[Subject]]:
    names = args.associations
    if args.against is not None:
        target = read_target(args.against)
        with asyncio.Runner() as runner:
            yield (subject(target, row, runner.run) for row in rows(target, names))
    elif args.way == "tcp":
        with asyncio.Runner() as runner, over_tcp(args.profile, names, runner) as subjects:
            yield subjects
    else:
        known = associations(args.profile)
        for name in names:
            if name not in known:
                raise ValueError(f"{args.profile} has no association {name}: {', '.join(known)}")
        plants = tuple(Plant(fault=fault) for fault in args.plant)
        chosen = names or [name for name in USUAL if name in known]
        hdlc = args.way == "hdlc"
        yield (in_process(name, profile=args.profile, hdlc=hdlc, plants=plants) for name in chosen)


@contextmanager
def over_tcp(
    name: str, names: Sequence[str], runner: asyncio.Runner
) -> Iterator[Iterator[Subject]]:
    """A sandbox of its own with a meter of the profile ``name``, which is there as long as it is
    asked.
    """
    profile = profiles.load(name)
    titles: dict[str, bytes] = {}
    now = dt.datetime.now(dt.UTC)
    sandbox = Sandbox(
        [profile], pki=TestPki.create(now=now), fleet_secret=bytes(32), client_titles=titles
    )
    runner.run(sandbox.__aenter__())
    try:
        meter = sandbox.meters[profile.name]
        how = Circumstances(titles=registered_titles(profile, titles))
        declaration = declare(profile, meter.address, how)
        held = keys_of(profile, meter.device.title, meter.ring, titles)
        target = target_of(declaration, held)
        offered = {row.name: meter.device.config(row) for row in profile.associations.values()}
        chosen = list(names) or [one for one in USUAL if one in offered]
        yield (subject(target, row, runner.run, offered) for row in rows(target, chosen))
    finally:
        runner.run(sandbox.__aexit__(None, None, None))
