"""``firmware make``, ``send``, ``activate``, ``status``: new firmware for a meter."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from devices.firmware import SEALS
from devices.image import ImageFormatError, Target, make_image, read_image
from devices.profile import Profile
from dlms.security.drive import run
from dlms.words import word
from emulator.cli import failures, options
from emulator.cli.meter import finish
from emulator.cli.output import print_json, print_table
from emulator.client.image_transfer import Progress, Transfer
from emulator.head_end.firmware import FirmwareStatus
from emulator.head_end.services import HeadEnd
from emulator.key_suites import suites_of
from emulator.meter_address import MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.profiles import load
from emulator.workspace import Workspace

_SIZE = 16384
_MAX_SIZE = 1 << 24
"""More than any meter takes, and little for the machine that makes it."""


def register(subparsers: options.SubParsers) -> None:
    firmware = subparsers.add_parser("firmware", help="make, send and activate firmware images")
    commands = firmware.add_subparsers(dest="what", metavar="WHAT", required=True)

    make = commands.add_parser("make", help="make an image, sealed by the test manufacturer")
    make.add_argument("file", type=Path, help="where to write it")
    make.add_argument(
        "--profile", required=True, metavar="NAME", help="whom it is for: a profile, or a path"
    )
    make.add_argument("--version", required=True, help="firmware version, for example 2.0.0")
    make.add_argument("--hardware", help="hardware version (default: that of the profile)")
    make.add_argument("--body", type=Path, metavar="FILE", help="what is in it")
    make.add_argument(
        "--size", type=int, default=_SIZE, help=f"octets of a body made up (default: {_SIZE})"
    )
    options.add_workspace(make)
    options.add_json(make)
    make.set_defaults(run=lambda args: failures.run(_make(args)))

    send = commands.add_parser("send", help="send an image and have it verified (S1SP)")
    options.add_meter(send)
    send.add_argument("file", type=Path, help="as 'cosemlab firmware make' has written it")
    send.add_argument("--afresh", action="store_true", help="do not go on where one was broken off")
    send.add_argument(
        "--window", type=int, default=0, metavar="BLOCKS", help="send so many without an answer"
    )
    finish(send, _send)

    activate = commands.add_parser("activate", help="activate the verified image (DCO)")
    options.add_meter(activate)
    finish(activate, _activate)

    status = commands.add_parser("status", help="what runs, and what is there of an image")
    options.add_meter(status)
    finish(status, _status)


async def _make(args: argparse.Namespace) -> int:
    profile = load(args.profile)
    if args.body is None and not 0 < args.size <= _MAX_SIZE:
        raise ValueError(f"--size is from 1 to {_MAX_SIZE}, not {args.size}")
    body = _made_up(args.version, args.size) if args.body is None else _read(args.body)
    hardware = args.hardware or profile.habits.hardware_version
    target = Target(profile.flag_id, profile.model, hardware)
    ring = KeyRing(Workspace(args.workspace).fleet_secret, suites_of(profile))
    step = make_image(target, args.version, body, SEALS[profile.habits.image_seal])
    octets = run(step, SoftwareModule(ring).execute)
    try:
        args.file.write_bytes(octets)
    except OSError as error:
        raise ValueError(f"{args.file}: {error.strerror}") from None
    shown: dict[str, str | int] = {
        "file": str(args.file),
        "for": f"{target.flag_id} {target.model}, hardware {target.hardware}",
        "version": args.version,
        "octets": len(octets),
        "seal": profile.habits.image_seal,
        "hash": read_image(octets).digest.hex().upper(),
    }
    if args.json:
        print_json(shown)
    else:
        print_table([(key, str(value)) for key, value in shown.items()])
    return failures.Exit.DONE


def _read(file: Path) -> bytes:
    """``ValueError`` if it cannot be read: no fault of a connection's."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None


def _made_up(version: str, size: int) -> bytes:
    """Octets that no compression makes smaller, the same each time."""
    return hashlib.shake_256(f"firmware {version}".encode()).digest(size)


async def _send(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    octets = _read(args.file)
    try:
        image = read_image(octets)
    except ImageFormatError as error:
        raise ValueError(f"{args.file}: {error}") from None
    transfer = Transfer(
        image=octets,
        identifier=image.digest,
        window=args.window,
        resume=not args.afresh,
        on_progress=_show_progress,
    )
    await head_end.firmware.send(meter, profile, transfer)
    status = await head_end.firmware.status(meter, profile)
    return {"sent": image.version, "blocks_sent": transfer.blocks_sent, **_shown(status)}


async def _activate(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    status = await head_end.firmware.activate(meter, profile)
    return {"through": "DCO", **_shown(status)}


async def _status(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    return _shown(await head_end.firmware.status(meter, profile))


def _shown(status: FirmwareStatus) -> dict[str, object]:
    return {
        "version": status.version,
        "status": word(status.status),
        "blocks": f"{status.progress.done} of {status.progress.total}",
        "to_activate": [one.hex().upper() for one in status.to_activate],
        "verified_image_hash": status.verified_hash.hex().upper(),
    }


def _show_progress(progress: Progress) -> None:
    """On the terminal only: what is piped is for programs."""
    if sys.stderr.isatty():
        done = progress.done == progress.total
        line = f"\r{progress.done} of {progress.total} blocks"
        print(line, end="\n" if done else "", file=sys.stderr, flush=True)
