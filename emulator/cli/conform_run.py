"""``conform run``: checks on a device under test."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from emulator.cli import conform_declare, conform_report, failures, options
from emulator.cli.output import print_json, print_table
from emulator.conformance import DISCLAIMER, Check, built_in
from emulator.conformance.catalogue.describing import steps_of
from emulator.conformance.catalogue.selecting import chosen
from emulator.conformance.declaration.model import WayKind
from emulator.conformance.reports import Kind, to_json, write
from emulator.conformance.reports.exit_code import exit_code
from emulator.conformance.reports.progress import Progress
from emulator.conformance.reports.terminal import Painter, summary
from emulator.conformance.running.declared import read_target, target_of, transport_of
from emulator.conformance.running.kept_keys import keep
from emulator.conformance.running.result import CaseResult, RunResult
from emulator.conformance.running.runner import Runner
from emulator.conformance.trying.target import Target


def register(whats: options.SubParsers) -> None:
    run = whats.add_parser(
        "run",
        help="checks on a device under test: verdicts with the rule, the bytes and the difference",
        description=DISCLAIMER,
    )
    run.add_argument(
        "checks",
        nargs="*",
        metavar="CHECK",
        help="groups, ids, GROUP/ID, or patterns of ids (default: all)",
    )
    run.add_argument(
        "--target",
        "-t",
        required=True,
        metavar="FILE|METER",
        help="a declaration ('conform declare' writes it), or a meter of the running sandbox",
    )
    run.add_argument("--seed", default="0", help="of all that is drawn: same seed, same octets")
    run.add_argument(
        "--strict", action="store_true", help="an answer that is only tolerated is a failure"
    )
    run.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and speak to nobody"
    )
    run.add_argument(
        "--way", choices=[kind.value for kind in WayKind], default=WayKind.TCP.value,
        help="how to reach a meter of the sandbox (default: tcp)",
    )  # fmt: skip
    run.add_argument("--image", default="", metavar="FILE", help="an image for it")
    run.add_argument(
        "--spend", action="store_true", help="what cannot be undone may be done to that meter"
    )
    run.add_argument(
        "--output",
        "-o",
        type=Path,
        metavar="FILE",
        help="keep the run as JSON, for 'conform report'",
    )
    conform_report.add_files(run)
    options.add_json(run)
    options.add_workspace(run)
    options.add_database(run)
    run.set_defaults(run=lambda args: failures.run(_run(args)))


async def _run(args: argparse.Namespace) -> int:
    catalogue = built_in()
    checks = chosen(catalogue, args.checks)
    with tempfile.TemporaryDirectory() as folder:
        keylog = Path(folder) / "keys.log"
        target = await _target(args, keylog)
        runner = Runner(target, seed=args.seed, strict=args.strict)
        if args.dry_run:
            return _say(runner, checks, as_json=args.json)
        started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        try:
            cases = await _cases(runner, checks, quiet=args.json)
        finally:
            _keep_keys(target, Path(args.target))
        result = _result(args, target, started, cases, keylog)
    document = to_json(result, catalogue)
    files = conform_report.asked_for(args)
    if args.output is not None:
        files = {Kind.JSON: args.output, **files}
    for kind, path in files.items():
        write(document, kind, path)
    if args.json:
        print_json(document)
    else:
        for line in summary(document, Painter.of(sys.stdout)):
            print(line)
    return exit_code(document)


def _keep_keys(target: Target, beside: Path) -> None:
    """Say where the keys are that the device has now, if they are others than before."""
    path = keep(target, beside)
    if path is not None:
        names = ", ".join(sorted(target.changed))
        print(f"the device keeps new keys of {names}: they are in {path}", file=sys.stderr)


async def _target(args: argparse.Namespace, keylog: Path) -> Target:
    """A file if there is one of that name, else a meter of the sandbox."""
    path = Path(args.target)
    if path.is_file():  # noqa: ASYNC240 - before anything is awaited
        return read_target(path, keylog=keylog)
    if path.suffix:
        raise ValueError(f"{path}: there is no such declaration file")
    draft, keys = await conform_declare.of_sandbox(args, args.target)
    return target_of(draft.declaration, keys, keylog=keylog)


async def _cases(runner: Runner, checks: Sequence[Check], *, quiet: bool) -> tuple[CaseResult, ...]:
    progress = Progress(sys.stdout, len(checks), built_in())
    cases = []
    for check in checks:
        if not quiet:
            progress.began(check.id)
        case = await runner.run_one(check)
        if not quiet:
            progress.ended(case)
        cases.append(case)
    if not quiet:
        progress.finish()
    return tuple(cases)


def _result(
    args: argparse.Namespace,
    target: Target,
    started: str,
    cases: tuple[CaseResult, ...],
    keylog: Path,
) -> RunResult:
    declaration, way = target.declaration, target.declaration.way
    return RunResult(
        device=declaration.name,
        declaration=args.target,
        way=f"{way.kind.value} {target.route}",
        seed=args.seed,
        started=started,
        version=version("cosemlab"),
        strict=args.strict,
        cases=cases,
        key_log=(
            *(keylog.read_text("ascii").splitlines() if keylog.exists() else ()),
            *target.key_log,
        ),
        transport=transport_of(way.kind),
        port=way.port,
        called=bool(declaration.client.command),
    )


def _say(runner: Runner, checks: Sequence[Check], *, as_json: bool) -> int:
    """What would be run and what not, and why."""
    unmet = {check.id: runner.unmet(check) for check in checks}
    if as_json:
        print_json(
            {
                "note": DISCLAIMER,
                "checks": [
                    {"id": one.id, "runs": not unmet[one.id], "reasons": list(unmet[one.id])}
                    for one in checks
                ],
            }
        )
        return failures.Exit.DONE
    for check in checks:
        if unmet[check.id]:
            print(f"{check.id}: not run, {'; '.join(unmet[check.id])}")
            continue
        print(f"{check.id}: {check.title}")
        for line in steps_of(check):
            print(f"  {line}")
    runs = sum(not reasons for reasons in unmet.values())
    print_table([("would be run", str(runs)), ("not for this device", str(len(checks) - runs))])
    return failures.Exit.DONE
