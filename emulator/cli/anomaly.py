"""``anomaly``: thresholds, notices, and the S1SP's quarantine."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from devices.profile import profile_of
from emulator.anomaly.quarantine import Quarantine
from emulator.anomaly.thresholds import ThresholdError, Thresholds
from emulator.anomaly.watch import Watch
from emulator.cli import custody_options, failures, options, parties, plugins, recording
from emulator.cli.output import print_json, print_table
from emulator.cli.request import exit_of, show_response
from emulator.policy import Actor
from emulator.workspace import Workspace, WorkspaceError

_PARTIES = (Actor.S1SP, Actor.DCO)
_MAX_FILE = 1 << 20


def register(subparsers: options.SubParsers) -> None:
    anomaly = subparsers.add_parser(
        "anomaly", help="Threshold Anomaly Detection: thresholds, notices, quarantine"
    )
    commands = anomaly.add_subparsers(dest="what", metavar="WHAT", required=True)

    show = commands.add_parser("show", help="thresholds and notices of S1SP and DCO")
    _finish(show)
    show.set_defaults(run=lambda args: failures.guard(lambda: _show(args)))

    setting = commands.add_parser("set", help="take thresholds from a TOML file")
    setting.add_argument("file", type=Path, metavar="FILE")
    _finish(setting)
    setting.set_defaults(run=lambda args: failures.guard(lambda: _set(args)))

    quarantine = commands.add_parser("quarantine", help="what the S1SP holds")
    holding = quarantine.add_subparsers(dest="do", metavar="DO", required=True)
    listing = holding.add_parser("list", help="the requests that are held")
    _finish(listing)
    listing.set_defaults(run=lambda args: failures.guard(lambda: _list(args)))
    release = holding.add_parser("release", help="let a request go on to its meter")
    release.add_argument("number", type=int)
    custody_options.add_custody(release)
    options.add_keylog(release)
    _finish(release)
    release.set_defaults(run=lambda args: failures.run(_release(args)))
    delete = holding.add_parser("delete", help="delete a request; its User is notified")
    delete.add_argument("number", type=int)
    _finish(delete)
    delete.set_defaults(run=lambda args: failures.guard(lambda: _delete(args)))


def _finish(parser: argparse.ArgumentParser) -> None:
    options.add_workspace(parser)
    options.add_database(parser)
    options.add_json(parser)


def _watch(workspace: Workspace, actor: Actor, url: str | None) -> Watch:
    return Watch(workspace.party_database(actor, url), actor.value.lower(), _now)


def _quarantine(workspace: Workspace, url: str | None) -> Quarantine:
    return Quarantine(workspace.party_database(Actor.S1SP, url), _now)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _show(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    watches = {actor.value: _watch(workspace, actor, args.database) for actor in _PARTIES}
    thresholds = {name: _texts(watch.thresholds) for name, watch in watches.items()}
    notices = [
        {
            "party": notice.party.upper(),
            "time": notice.moment.isoformat(timespec="seconds"),
            "request_id": notice.request,
            "text": notice.text,
        }
        for watch in watches.values()
        for notice in watch.notices()
    ]
    if args.json:
        print_json({"thresholds": thresholds, "notices": notices})
        return failures.Exit.DONE
    rows = [(name, text) for name, texts in thresholds.items() for text in texts or ["none"]]
    print_table(rows, ("party", "threshold"))
    if notices:
        print()
        print_table([tuple(one.values()) for one in notices], tuple(notices[0]))
    return failures.Exit.DONE


def _texts(thresholds: Thresholds) -> list[str]:
    return [str(row) for row in (*thresholds.volumes, *thresholds.limits)]


def _set(args: argparse.Namespace) -> int:
    try:
        if args.file.stat().st_size > _MAX_FILE:
            raise ThresholdError(f"more than {_MAX_FILE} octets")
        text = args.file.read_text("utf-8")
        workspace = Workspace(args.workspace)
        for actor in _PARTIES:
            _watch(workspace, actor, args.database).set(text)
    except ThresholdError as error:
        raise ThresholdError(f"{args.file}: {error}") from None
    except UnicodeDecodeError:
        raise ThresholdError(f"{args.file}: no UTF-8") from None
    except FileNotFoundError:
        raise ThresholdError(f"{args.file}: no such file") from None
    return _show(args)


def _list(args: argparse.Namespace) -> int:
    rows = [held.to_json() for held in _quarantine(Workspace(args.workspace), args.database).held()]
    if args.json:
        print_json(rows)
    elif rows:
        print_table([tuple(map(str, row.values())) for row in rows], tuple(rows[0]))
    else:
        print("nothing is in quarantine")
    return failures.Exit.DONE


def _delete(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    held = _quarantine(workspace, args.database).take_out(args.number)
    _watch(workspace, Actor.S1SP, args.database).notify_id(
        held.request, f"deleted from quarantine: {held.why}"
    )
    if args.json:
        print_json({"deleted": held.to_json()})
    else:
        print(f"request {held.request} is deleted")
    return failures.Exit.DONE


async def _release(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    quarantine = _quarantine(workspace, args.database)
    device = quarantine.get(args.number).device
    meter = next((one for one in workspace.meters().values() if one.title == device), None)
    if meter is None:
        raise WorkspaceError(f"no meter {device.hex().upper()} is up: it stays in quarantine")
    plugins.say_plugins()
    profile = profile_of(workspace.document(meter.name))
    with (
        recording.recorded(workspace.database(args.database), keep=False) as ledger,
        parties.head_end(workspace, args, ledger, meter, profile) as head_end,
    ):
        response = await head_end.requests.release(quarantine.take_out(args.number), meter, profile)
    if args.json:
        print_json(response.to_json())
    else:
        show_response(response)
    return exit_of(response)
