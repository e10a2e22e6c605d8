"""The options about MQTT that commands share, and ``mqtt``: the topics and their documentation."""

from __future__ import annotations

import argparse
import ipaddress
import math
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.events import FanOut, MeterEvent
from emulator.ledger import Entry
from emulator.mqtt.asyncapi import document
from emulator.mqtt.options import (
    BASE,
    NAME,
    PASSWORD_VARIABLE,
    PERIOD,
    MqttOptions,
    host_and_port,
    level,
    read_password,
)
from emulator.mqtt.topics import CHANNELS, Tree
from emulator.sandbox import Sandbox

_DAY = 86_400.0


def register(subparsers: options.SubParsers) -> None:
    mqtt = subparsers.add_parser("mqtt", help="the MQTT topics of a sandbox")
    commands = mqtt.add_subparsers(dest="mqtt_command", metavar="COMMAND", required=True)
    topics = commands.add_parser("topics", help="print the topic tree")
    _add_place(topics)
    options.add_json(topics)
    topics.set_defaults(run=_topics)
    asyncapi = commands.add_parser("asyncapi", help="print the AsyncAPI document, as JSON")
    asyncapi.set_defaults(run=_asyncapi)


def add_mqtt(parser: argparse.ArgumentParser, *, period: bool = False) -> None:
    """``period`` for a command that publishes telemetry, too."""
    group = parser.add_argument_group("MQTT (off unless asked for)")
    group.add_argument("--mqtt", metavar="HOST[:PORT]", help="publish to this MQTT 5 broker")
    group.add_argument(
        "--mqtt-tls",
        type=Path,
        metavar="CA",
        help="use TLS, and trust the authorities in this file (PEM)",
    )
    group.add_argument("--mqtt-client-cert", type=Path, metavar="FILE", help="our certificate")
    group.add_argument("--mqtt-client-key", type=Path, metavar="FILE", help="the key of it")
    group.add_argument("--mqtt-user", metavar="NAME", help="user name")
    group.add_argument(
        "--mqtt-password-file",
        type=Path,
        metavar="FILE",
        help=f"password, in its first line (default: the environment's {PASSWORD_VARIABLE})",
    )
    _add_place(group)
    if period:
        group.add_argument(
            "--mqtt-period",
            type=_period,
            default=PERIOD,
            metavar="SECONDS",
            help=f"of virtual time, between telemetry messages (default: {PERIOD:g})",
        )


def mqtt_options(args: argparse.Namespace) -> MqttOptions | None:
    """``None`` if there is to be no MQTT. ``ValueError`` if the options do not go together."""
    if args.mqtt is None:
        given = [name for name in _DEPENDENT if getattr(args, name) is not None]
        if given:
            raise ValueError(f"--{given[0].replace('_', '-')} needs --mqtt")
        return None
    host, port = host_and_port(args.mqtt, tls=args.mqtt_tls is not None)
    certificate, key = args.mqtt_client_cert, args.mqtt_client_key
    if (certificate is None) is not (key is None):
        raise ValueError("--mqtt-client-cert and --mqtt-client-key go together")
    if certificate is not None and args.mqtt_tls is None:
        raise ValueError("--mqtt-client-cert needs --mqtt-tls")
    if args.mqtt_password_file is not None and args.mqtt_user is None:
        raise ValueError("--mqtt-password-file needs --mqtt-user")
    password = None if args.mqtt_user is None else read_password(args.mqtt_password_file)
    if password is not None and args.mqtt_tls is None and not _is_here(host):
        raise ValueError(f"a password goes to {host} only with --mqtt-tls: it could be read")
    return MqttOptions(
        host=host,
        port=port,
        trust=args.mqtt_tls,
        credential=None if certificate is None else (certificate, key),
        user=args.mqtt_user,
        password=password,
        base=args.mqtt_base,
        name=args.mqtt_name,
        period=getattr(args, "mqtt_period", PERIOD),
    )


@asynccontextmanager
async def sandbox_published(
    wanted: MqttOptions | None,
    sandbox: Sandbox,
    events: FanOut[MeterEvent],
    entries: FanOut[Entry],
) -> AsyncIterator[None]:
    """``sandbox`` on the broker, if that is wanted, with all actions that are offered by then."""
    if wanted is None:
        yield
        return
    from emulator.mqtt.sandbox_on_broker import on_broker  # aiomqtt only where it is wanted

    async with on_broker(wanted, sandbox, events, entries, note=say):
        yield


@asynccontextmanager
async def ledger_published(
    args: argparse.Namespace,
) -> AsyncIterator[Callable[[Entry], None] | None]:
    """What is to be told each entry of the ledger, if that is wanted."""
    wanted = mqtt_options(args)
    if wanted is None:
        yield None
        return
    from emulator.mqtt.ledger_on_broker import ledger_on_broker  # aiomqtt only where it is wanted

    async with ledger_on_broker(wanted, note=say) as on_entry:
        yield on_entry


def say(line: str) -> None:
    """What has become of the broker, where it does not disturb what a command prints."""
    print(f"cosemlab: {line}", file=sys.stderr, flush=True)


_DEPENDENT = ("mqtt_tls", "mqtt_client_cert", "mqtt_client_key", "mqtt_user", "mqtt_password_file")


def _add_place(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--mqtt-base",
        type=lambda text: level(text, several=True),
        default=BASE,
        metavar="TOPIC",
        help=f"under which all topics are (default: {BASE})",
    )
    parser.add_argument(
        "--mqtt-name",
        type=level,
        default=NAME,
        metavar="NAME",
        help=f"of the sandbox: two on one broker need two (default: {NAME})",
    )


def _period(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds) or not 1 <= seconds <= _DAY:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {_DAY:.0f} seconds")
    return seconds


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _topics(args: argparse.Namespace) -> int:
    tree = Tree(args.mqtt_base, args.mqtt_name)
    rows = [
        (tree.topic(name, meter="{meter}", action="{action}"), channel)
        for name, channel in CHANNELS.items()
    ]
    if args.json:
        print_json(
            [
                {
                    "topic": topic,
                    "direction": "to the sandbox" if channel.asked else "from the sandbox",
                    "retained": channel.retained,
                    "expiry": channel.expiry,
                    "schema": channel.schema,
                    "summary": channel.summary,
                }
                for topic, channel in rows
            ]
        )
    else:
        print_table(
            [
                (
                    topic,
                    "asked" if channel.asked else "retained" if channel.retained else "said",
                    channel.schema,
                    channel.summary,
                )
                for topic, channel in rows
            ],
            ("topic", "", "schema", "what"),
        )
    return failures.Exit.DONE


def _asyncapi(args: argparse.Namespace) -> int:
    print_json(document())
    return failures.Exit.DONE
