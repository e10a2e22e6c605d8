"""``up``: the sandbox, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import signal
import sys
from functools import partial
from pathlib import Path

from devices.profile import available, gas
from emulator.cli import failures, mqtt, options, plugins, rotate
from emulator.cli.output import print_json, print_table
from emulator.control.arguments import moment
from emulator.control.server import serve
from emulator.events import FanOut, Held, MeterEvent
from emulator.faults import built_in, load_file
from emulator.head_end.party import client_titles
from emulator.ledger import Entry
from emulator.meter_address import LOOPBACK, MeterAddress, Way
from emulator.profiles import load_all
from emulator.sandbox import Sandbox
from emulator.serving.alerts import NotTold
from emulator.serving.pushing import Address, Pusher, parse_address
from emulator.virtual_clock import ClockError, VirtualClock
from emulator.workspace import CONTROL, Workspace, WorkspaceError
from tls.session_age import SESSION_LIFETIME

_HOW = """\
Connect your own client:
  plain   wrapper over TCP to the plain port; public client: client SAP 16, server SAP 1, no keys
  TLS     wrapper over TLS 1.2 to the TLS port, with a client certificate of the test PKI:
          {workspace}/parties/s1sp.pem and s1sp.key, root in {workspace}/pki/root.pem
  keys    cosemlab keys METER ASSOCIATION   (SAPs, titles and the test keys of an association)
Or use ours:
  cosemlab read METER | cosemlab credit METER POUNDS | cosemlab instruct METER NAME
  cosemlab status | cosemlab clock --advance 1d12h | cosemlab power METER off
Ctrl-C ends the sandbox."""

_LOOK = 1.0
"""Seconds, in real time, between two looks for a new listener."""

_HIGHEST_PORT = 65500
"""Of the first meter: there must be room for the others behind it."""

_LONGEST_SESSION = 31_536_000
"""Seconds: a year."""


def register(subparsers: options.SubParsers) -> None:
    up = subparsers.add_parser("up", help="run the sandbox until Ctrl-C")
    up.add_argument(
        "profiles",
        nargs="*",
        metavar="PROFILE",
        help="names or TOML files; default: the manufacturers' electricity meters",
    )
    up.add_argument(
        "--all", action="store_true", help="the manufacturers' gas meters as well, after the others"
    )
    up.add_argument(
        "--port",
        type=options.whole(0, _HIGHEST_PORT),
        default=0,
        help="first port; default: any free ones on 127.0.0.1",
    )
    up.add_argument("--host", default=LOOPBACK, help=f"address to bind (default: {LOOPBACK})")
    for way in Way:
        up.add_argument(
            f"--{way.name.lower()}",
            action="append_const",
            dest="ways",
            const=way,
            help=f"serve {way.value}, too",
        )
    up.add_argument(
        "--clock",
        type=_factor,
        default=1.0,
        metavar="MODE",
        help="how virtual time goes: real (default), frozen, or how many times faster; it can be"
        " changed later with 'cosemlab clock'",
    )
    up.add_argument(
        "--at",
        type=_moment,
        metavar="TIME",
        help="when it begins, ISO 8601; default: now, or where the meters have got to if later",
    )
    up.add_argument(
        "--alerts-to",
        type=parse_address,
        metavar="HOST:PORT",
        help="where the head end listens for alerts; default: where 'cosemlab alerts' does",
    )
    up.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help="a TOML file with faults of your own, besides those of 'cosemlab fault list'",
    )
    up.add_argument(
        "--fault-seed",
        default="0",
        metavar="TEXT",
        help="what faults draw by lot comes from this: the same text, the same faults",
    )
    up.add_argument(
        "--supplier",
        default="",
        metavar="NAME",
        help="meters that are new are installed by this supplier's own system, from which"
        " 'cosemlab enrol' moves them to the DCC",
    )
    up.add_argument(
        "--session-lifetime",
        type=options.whole(1, _LONGEST_SESSION),
        default=int(SESSION_LIFETIME),
        metavar="SECONDS",
        help="after which a meter ends a TLS session, with all that is open in it (default:"
        f" {SESSION_LIFETIME:.0f}, in reality)",
    )
    up.add_argument("--trace", action="store_true", help="show every APDU, decoded")
    options.add_workspace(up)
    options.add_database(up)
    options.add_keylog(up)
    mqtt.add_mqtt(up, period=True)
    options.add_json(up)
    up.set_defaults(run=lambda args: failures.run(_up(args)))


def _factor(text: str) -> float:
    words = {"real": 1.0, "frozen": 0.0}
    return words[text] if text in words else options.factor(text)


def _moment(text: str) -> dt.datetime:
    found = moment(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in ISO 8601")
    return found


def _begin(wanted: dt.datetime | None, lived: dt.datetime | None) -> dt.datetime:
    """When time begins: not before what the meters have lived through, or registers would fall.
    :class:`~emulator.virtual_clock.ClockError` if an earlier time is wanted.
    """
    now = dt.datetime.now(dt.UTC) if wanted is None else wanted
    if lived is None or lived <= now:
        return now
    if wanted is not None:
        raise ClockError(f"the meters have lived until {lived.isoformat()}: time does not go back")
    return lived


async def _up(args: argparse.Namespace) -> int:
    plugins.say_plugins()
    beside = gas() if args.all else ()
    loaded = load_all((*(args.profiles or available()), *beside))
    catalogue = built_in() if args.faults is None else load_file(args.faults, built_in())
    # A time that never is is refused before anything is made.
    VirtualClock(args.at, factor=args.clock)
    workspace = Workspace(args.workspace)
    if args.supplier:
        workspace.supplier(args.supplier, make=True)
    installers = {name: one.installer for name, one in workspace.suppliers().items()}
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    published = mqtt.mqtt_options(args)
    announced = Held(_print_json_event if args.json else _print_event)
    events: FanOut[MeterEvent] = FanOut(announced)
    entries: FanOut[Entry] = FanOut()
    with workspace.memories() as memories:
        clock = VirtualClock(_begin(args.at, memories.lived_until()), factor=args.clock)
        async with Sandbox(
            [profile for profile, _ in loaded.values()],
            pki=workspace.pki,
            fleet_secret=workspace.fleet_secret,
            client_titles=client_titles(),
            host=args.host,
            on_event=events,
            trace=args.trace,
            port=args.port,
            keylog=args.keylog,
            ways=args.ways or (),
            memories=memories,
            clock=clock,
            listener=partial(_listener, workspace, args.alerts_to),
            catalogue=catalogue,
            fault_seed=args.fault_seed,
            installers=installers,
            installer=args.supplier,
            session_lifetime=args.session_lifetime,
        ) as sandbox:
            rotate.offer(sandbox.control, workspace, entries, args.database)
            addresses = [running.address for running in sandbox.meters.values()]
            async with (
                serve(sandbox.control, workspace.path / CONTROL),
                mqtt.sandbox_published(published, sandbox, events, entries),
            ):
                workspace.announce(
                    addresses,
                    {name: made for name, (_, made) in loaded.items()},
                    {
                        name: meter.installer.name
                        for name, meter in sandbox.meters.items()
                        if meter.installer is not None
                    },
                )
                try:
                    _announce(addresses, args)
                    announced.release()
                    watching = asyncio.create_task(_watch(workspace, sandbox.pusher))
                    await stop.wait()
                    watching.cancel()
                finally:
                    workspace.withdraw()
    return failures.Exit.DONE


def _listener(workspace: Workspace, given: Address | None) -> Address | None:
    """Where alerts go now."""
    if given is not None:
        return given
    try:
        return workspace.listener()
    except WorkspaceError as error:
        raise NotTold(str(error)) from error


async def _watch(workspace: Workspace, pusher: Pusher) -> None:
    """Tell of a listener that was not there before: meters wait longer between their rounds."""
    known = workspace.listening_since()
    while True:
        await asyncio.sleep(_LOOK)
        since = workspace.listening_since()
        if since not in (known, 0):
            pusher.listener_changed()
        known = since


def _announce(addresses: list[MeterAddress], args: argparse.Namespace) -> None:
    if args.json:
        rows = [{**address._asdict(), "title": address.title.hex()} for address in addresses]
        print_json({"meters": rows, "workspace": str(args.workspace)})
    else:
        ways = args.ways or ()
        print_table(
            [
                (
                    address.name,
                    address.title.hex().upper(),
                    f"{address.host}:{address.plain_port}",
                    f"{address.host}:{address.tls_port}",
                    *(_where(address, way) for way in Way if way in ways),
                )
                for address in addresses
            ],
            ("meter", "system title", "plain", "TLS", *(way.name for way in Way if way in ways)),
        )
        print()
        print(_HOW.format(workspace=args.workspace))
    sys.stdout.flush()


def _print_event(event: MeterEvent) -> None:
    print(event, flush=True)


def _print_json_event(event: MeterEvent) -> None:
    print_json(event.to_json())
    sys.stdout.flush()


def _where(address: MeterAddress, way: Way) -> str:
    port = {Way.UDP: address.udp_port, Way.HDLC: address.hdlc_port}.get(way)
    path = {Way.LINE: address.line, Way.OPTICAL: address.optical}.get(way)
    return f"{address.host}:{port}" if port is not None else str(path)
