"""``campaign start``, ``status``, ``resume``, ``cancel``: new keys for all meters of a sandbox."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from devices.profile import Profile
from dlms.words import words
from emulator.cli import custody_options, failures, options, parties, recording, running
from emulator.cli.ledger_view import print_ledger, print_shortfall
from emulator.cli.output import print_json, print_table
from emulator.cli.rotate import KINDS, PARTIES
from emulator.keystore.store import utc_now
from emulator.meter_address import MeterAddress
from emulator.rotation.campaigns import SETTLED, Campaign, Campaigns, Step, StepState
from emulator.rotation.planning import plan
from emulator.rotation.runner import Bounds, Runner
from emulator.workspace import Workspace, WorkspaceError

_MOST_AT_ONCE = 256
_MOST_TRIES = 20


def register(subparsers: options.SubParsers) -> None:
    campaign = subparsers.add_parser(
        "campaign",
        help="give all meters new keys; go on after whatever interrupted it",
        description="What is planned and how far it is stands in the database of the workspace.",
    )
    commands = campaign.add_subparsers(dest="what", metavar="WHAT", required=True)

    start = commands.add_parser("start", help="plan a campaign and carry it out")
    start.add_argument(
        "--kinds",
        nargs="+",
        choices=tuple(KINDS),
        default=list(KINDS),
        metavar="KIND",
        help=f"{{{','.join(KINDS)}}}, in this order; default: all",
    )
    start.add_argument(
        "--party",
        nargs="+",
        choices=tuple(PARTIES),
        default=list(PARTIES),
        help="whose associations; default: both",
    )
    start.add_argument(
        "--meters", nargs="+", metavar="METER", help="default: all that 'cosemlab up' prints"
    )
    _add_running(start)
    start.set_defaults(run=lambda args: failures.run(_start(args)))

    resume = commands.add_parser("resume", help="go on with the last campaign")
    _add_running(resume)
    resume.set_defaults(run=lambda args: failures.run(_resume(args)))

    for name, helped, command in (
        ("status", "how far the last campaign is", _status),
        ("cancel", "send no more keys; what is sent is not taken back", _cancel),
    ):
        parser = commands.add_parser(name, help=helped)
        options.add_workspace(parser)
        options.add_database(parser)
        options.add_json(parser)
        parser.set_defaults(run=_guarded(command))


def _guarded(command: Callable[[argparse.Namespace], int]) -> options.Run:
    return lambda args: failures.guard(lambda: command(args))


def _add_running(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--at-once",
        type=options.whole(1, _MOST_AT_ONCE),
        default=Bounds().at_once,
        metavar="METERS",
        help=f"default: {Bounds().at_once}; each gets one key at a time",
    )
    parser.add_argument(
        "--tries",
        type=options.whole(1, _MOST_TRIES),
        default=Bounds().tries,
        help=f"for each key, before it is left for a resume; default: {Bounds().tries}",
    )
    options.add_workspace(parser)
    options.add_database(parser)
    custody_options.add_custody(parser)
    options.add_keylog(parser)
    options.add_json(parser)
    parser.add_argument("--ledger", action="store_true", help="print the ledger afterwards")


async def _start(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    meters = _meters(workspace)
    unknown = sorted(set(args.meters or ()) - meters.keys())
    if unknown:
        raise WorkspaceError(f"no meter {', '.join(unknown)}; there are: {', '.join(meters)}")
    wanted = {name: meters[name] for name in meters if not args.meters or name in args.meters}
    kinds = [KINDS[kind] for kind in dict.fromkeys(args.kinds)]
    parties = [PARTIES[party] for party in dict.fromkeys(args.party)]
    with workspace.holds.hold("campaign") as sole:
        _check(sole)
        steps = plan(wanted, parties, kinds, workspace.key_store(args.database))
        return await _run(args, workspace, meters, _campaigns(workspace, args).begin(steps))


async def _resume(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    meters = _meters(workspace)
    with workspace.holds.hold("campaign") as sole:
        _check(sole)
        campaign = _latest(workspace, args)
        if campaign.cancelled:
            raise WorkspaceError(f"campaign {campaign.number} was cancelled: start another one")
        return await _run(args, workspace, meters, campaign.number)


def _check(sole: bool) -> None:
    if not sole:
        raise WorkspaceError("the campaign is being carried out by another command")


async def _run(
    args: argparse.Namespace,
    workspace: Workspace,
    meters: dict[str, tuple[MeterAddress, Profile]],
    number: int,
) -> int:
    profiles = {address.title: profile for address, profile in meters.values()}
    campaigns = _campaigns(workspace, args)
    progress = _Progress(campaigns.campaign(number), args.json)
    with (
        recording.recorded(workspace.database(args.database)) as ledger,
        parties.head_end_of(workspace, args, ledger, profiles) as head_end,
    ):
        runner = Runner(
            head_end,
            workspace.key_store(args.database),
            campaigns,
            meters,
            Bounds(args.at_once, args.tries),
            progress.told,
        )
        campaign = await runner.run(number)
    progress.end()
    _show(campaign, args.json)
    if args.ledger and args.json:
        print(json.dumps({"ledger": [entry.to_json() for entry in ledger]}))
    elif args.ledger:
        print()
        print_ledger(ledger)
        print_shortfall(ledger)
    return failures.Exit.DONE if campaign.is_done else failures.Exit.FAILED


def _status(args: argparse.Namespace) -> int:
    campaign = _latest(Workspace(args.workspace), args)
    if args.json:
        print_json(_json(campaign) | {"steps": [step.to_json() for step in campaign.steps]})
    else:
        _show(campaign, as_json=False)
    return failures.Exit.DONE


def _cancel(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    campaign = _latest(workspace, args)
    campaigns = _campaigns(workspace, args)
    campaigns.cancel(campaign.number)
    _show(campaigns.campaign(campaign.number), args.json)
    return failures.Exit.DONE


class _Progress:
    """Each change: a line of JSON, or on a terminal one line that changes, or nothing."""

    def __init__(self, campaign: Campaign, as_json: bool) -> None:
        self._campaign = campaign
        self._steps = {step.position: step for step in campaign.steps}
        self._as_json = as_json
        self._is_live = not as_json and _is_terminal()

    def told(self, step: Step) -> None:
        self._steps[step.position] = step
        if self._as_json:
            print(json.dumps({"campaign": self._campaign.number} | step.to_json()), flush=True)
        elif self._is_live:
            text = self._campaign._replace(steps=tuple(self._steps.values())).text
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._is_live:
            print(file=sys.stderr)


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _show(campaign: Campaign, as_json: bool) -> None:
    """How it is, in one line, and what is not done."""
    if as_json:
        print(json.dumps(_json(campaign)))
        return
    cancelled = ", cancelled" if campaign.cancelled else ""
    print(f"campaign {campaign.number}: {campaign.text}{cancelled}")
    kind_words = {kind: word for word, kind in words(type(campaign.steps[0].kind)).items()}
    open_steps = [step for step in campaign.steps if step.state not in SETTLED]
    if open_steps:
        rows = [
            [
                step.meter,
                step.party.value.lower(),
                kind_words[step.kind],
                step.state.value,
                str(step.tries),
                step.reason,
            ]
            for step in open_steps
        ]
        print_table(rows, ("meter", "party", "key", "state", "tries", "why"))


def _json(campaign: Campaign) -> dict[str, Any]:
    counts = {state.value: campaign.count(state) for state in StepState}
    return {
        "campaign": campaign.number,
        "begun_at": campaign.begun_at.isoformat(),
        "cancelled": campaign.cancelled,
        "done": campaign.is_done,
        "states": counts,
    }


def _latest(workspace: Workspace, args: argparse.Namespace) -> Campaign:
    latest = _campaigns(workspace, args).latest()
    if latest is None:
        raise WorkspaceError(f"there is no campaign in {workspace.path}: start one")
    return latest


def _campaigns(workspace: Workspace, args: argparse.Namespace) -> Campaigns:
    return Campaigns(workspace.database(args.database), utc_now)


def _meters(workspace: Workspace) -> dict[str, tuple[MeterAddress, Profile]]:
    return {name: running.find_meter(workspace, name) for name in workspace.meters()}
