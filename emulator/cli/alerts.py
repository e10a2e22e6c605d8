"""``alerts``: listen for the alerts of meters, and print them as they come."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from dlms.security.keys import KeyRef
from emulator.cli import custody_options, failures, options, parties, plugins, recording, running
from emulator.cli.output import print_json
from emulator.counter_file import FiledCounters
from emulator.head_end.alerts import Smets1Alert
from emulator.head_end.listener import AlertListener, Device, Told
from emulator.head_end.party import ASSOCIATIONS, LISTENER, Party
from emulator.key_suites import suites_of
from emulator.keystore.known import StoredKnownKeys
from emulator.meter_address import LOOPBACK
from emulator.serving.pushing import Address
from emulator.workspace import Workspace, WorkspaceError

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

MAX_COUNT = 1_000_000
_HIGHEST_PORT = 65535


def register(subparsers: SubParsers) -> None:
    alerts = subparsers.add_parser("alerts", help="listen for alerts of meters and print them")
    alerts.add_argument(
        "--count", type=options.whole(1, MAX_COUNT), metavar="N", help="end after N alerts"
    )
    alerts.add_argument(
        "--port", type=options.whole(0, _HIGHEST_PORT), default=0, help="default: any free one"
    )
    alerts.add_argument("--host", default=LOOPBACK, help=f"address to bind (default: {LOOPBACK})")
    options.add_workspace(alerts)
    options.add_database(alerts)
    custody_options.add_custody(alerts)
    options.add_keylog(alerts)
    options.add_json(alerts)
    alerts.set_defaults(run=lambda args: failures.run(_alerts(args)))


async def _alerts(args: argparse.Namespace) -> int:
    """Done when so many have come as were to be counted, or by Ctrl-C."""
    plugins.say_plugins()
    workspace = Workspace(args.workspace)
    devices = _Devices(workspace)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    heard = 0

    def show(alert: Smets1Alert) -> None:
        nonlocal heard
        if args.json:
            print_json(alert.to_json())
        else:
            print(alert)
        sys.stdout.flush()
        heard += 1
        if heard == args.count:
            listener.end()
            stop.set()

    supply = parties.supply(workspace, LISTENER, args, devices.suite_of, devices.secrets)
    with (
        workspace.seen_alerts() as seen,
        recording.recorded(workspace.database(args.database), keep=False) as ledger,
        parties.door(LISTENER, supply, args, ledger) as door,
    ):
        store = workspace.key_store(args.database)
        kept = parties.wrapping(store, LISTENER, door.custody, {})  # it stores nothing
        party = Party(
            actor=LISTENER,
            credential=parties.credential(workspace, door.tls),
            trust=workspace.pki.trust(),
            custody=door.custody,
            tls_module=door.tls,
            counters=FiledCounters(workspace.counters, floors=True),
            known=StoredKnownKeys(kept, workspace.holds),
            keylog=args.keylog,
        )
        listener = AlertListener(
            party,
            parties.listener_credential(workspace, door.tls),
            devices.find,
            seen,
            show,
            _complain,
        )
        await listener.start(args.host, args.port)
        address = Address(args.host, listener.port)
        workspace.listen_at(address)
        try:
            print(f"cosemlab: listening at {address}", file=sys.stderr, flush=True)
            await stop.wait()
        finally:
            workspace.listen_no_more()
            await listener.close()
    return failures.Exit.DONE


def _complain(told: Told) -> None:
    print(f"cosemlab: {told.peer}  {told.kind}  {told.text}", file=sys.stderr, flush=True)


class _Devices:
    """The meters of the sandbox that is up, which may be another one each time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._since = -1
        self._known: dict[bytes, Device] = {}
        self.secrets = workspace.scope_secrets(LISTENER)

    def find(self, title: bytes) -> Device | None:
        since = self._workspace.announced_at()
        if since != self._since:
            self._known = self._read()
            theirs = [device.profile.alert_push for device in self._known.values()]
            names = {row.association for row in theirs if row is not None}
            # A meter may tell its alerts on an association of any name.
            others = names - set(ASSOCIATIONS)
            self.secrets.update(self._workspace.scope_secrets(LISTENER, others))
            self._since = since
        return self._known.get(title)

    def suite_of(self, ref: KeyRef) -> int:
        device = self.find(ref.holder)
        return 0 if device is None else suites_of(device.profile)(ref)

    def _read(self) -> dict[bytes, Device]:
        try:
            meters = self._workspace.meters()
        except WorkspaceError:
            return self._known  # of the one that was up last: it may be about to end
        return {
            address.title: Device(name, running.find_meter(self._workspace, name)[1])
            for name, address in meters.items()
        }
