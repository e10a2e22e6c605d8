"""The ways to a meter besides TCP and TLS: UDP, HDLC over TCP, a serial line, an optical port."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from emulator.framing import HdlcStation, OpticalStation
from emulator.lines import open_pty
from emulator.mains import Mains
from emulator.meter_address import MeterAddress, Way
from emulator.serving.connection import MeterConnection
from emulator.serving.datagrams import MeterDatagrams
from emulator.serving.host import Host
from emulator.serving.lines import identification, station_config
from emulator.serving.plug import Plug
from tls.plain import start_tcp_server
from tls.udp import start_udp_server


async def start_ways(
    ways: Collection[Way],
    address: MeterAddress,
    mains: Mains,
    by: Mapping[str, Host],
    port: int,
    stack: AsyncExitStack,
) -> MeterAddress:
    """Open ``ways``, until ``stack`` is left, and say where.

    ``address`` is that of the meter so far, ``by`` the meter on each way by its name in lower case,
    ``port`` that of the wrapper over TCP, or 0: then each way takes one that is free.
    """
    device = mains.host.device
    config = station_config(device)
    if Way.UDP in ways:
        datagrams = Plug(lambda: MeterDatagrams(by["udp"]))
        udp = await start_udp_server(lambda: datagrams, address.host, port)
        await stack.enter_async_context(udp)
        mains.lead_to(datagrams)
        address = address._replace(udp_port=udp.port)
    if Way.HDLC in ways:
        hdlc = await start_tcp_server(
            lambda: MeterConnection(by["hdlc"], lambda: HdlcStation(config)),
            address.host,
            port and port + 2,
        )
        await stack.enter_async_context(hdlc)
        mains.lead_to(hdlc)
        address = address._replace(hdlc_port=hdlc.port)
    # A line stays when its client goes, so it is never closed for want of one.
    endless = float("inf")
    if Way.LINE in ways:
        patient = replace(by["line"], inactivity_timeout=endless)
        direct = Plug(lambda: MeterConnection(patient, lambda: HdlcStation(config)))
        line, path = open_pty(lambda: direct)
        stack.callback(line.abort)
        mains.lead_to(direct)
        address = address._replace(line=path)
    if Way.OPTICAL in ways:
        name = identification(device)
        at_port = replace(by["optical"], inactivity_timeout=endless)
        optical = Plug(lambda: MeterConnection(at_port, lambda: OpticalStation(name, config)))
        line, path = open_pty(lambda: optical)
        stack.callback(line.abort)
        mains.lead_to(optical)
        address = address._replace(optical=path)
    return address
