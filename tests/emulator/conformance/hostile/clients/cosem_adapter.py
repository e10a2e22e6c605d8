"""The stock dlms-cosem client as a head end under test: ``cosem_adapter.py TASK MATERIAL``.

Classes of the package as installed. A task that raises ends with exit status 1, as scripts do.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from pathlib import Path
from typing import Any

import structlog
from dlms_cosem import utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem import CosemAttribute, Obis
from dlms_cosem.enumerations import CosemInterface
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.parsers import ProfileGenericBufferParser
from dlms_cosem.security import (
    HighLevelSecurityGmacAuthentication,
    NoSecurityAuthentication,
)
from dlms_cosem.time import datetime_from_bytes

MAX_PDU_SIZE = 1024


class OwnCounterGmac(HighLevelSecurityGmacAuthentication):
    """Spends a counter of its own on f(StoC): a strict meter does not take the stock class, which
    uses it again.
    """

    def hls_generate_reply_data(self, connection: Any) -> bytes:
        reply: bytes = super().hls_generate_reply_data(connection)
        connection.client_invocation_counter += 1
        return reply


def client(told: dict[str, Any], *, counter: int | None = None) -> DlmsClient:
    """The public client where there is no ``counter``."""
    sap = 16 if counter is None else told["client_sap"]
    io = BlockingTcpIO(told["host"], told["port"], told["timeout"])
    transport = TcpTransport(sap, told["server_sap"], io, told["timeout"])
    if counter is None:
        return DlmsClient(transport=transport, authentication=NoSecurityAuthentication())
    return DlmsClient(
        transport=transport,
        authentication=OwnCounterGmac(),
        encryption_key=bytes.fromhex(told["keys"]["guek"]),
        authentication_key=bytes.fromhex(told["keys"]["gak"]),
        client_system_title=bytes.fromhex(told["own_title"]),
        client_initial_invocation_counter=counter,
        meter_initial_invocation_counter=-1,
        max_pdu_size=MAX_PDU_SIZE,
    )


def attribute(named: dict[str, Any], number: int | None = None) -> CosemAttribute:
    code = named["instance"].replace("-", ".").replace(":", ".")
    return CosemAttribute(
        CosemInterface(named["class_id"]), Obis.from_string(code), number or named["attribute"]
    )


def plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value


def do(task: str, session: DlmsClient, told: dict[str, Any]) -> Any:
    def get(named: dict[str, Any], number: int | None = None) -> Any:
        return utils.parse_as_dlms_data(session.get(attribute(named, number)))

    if task == "read":
        return [plain(get(one)) for one in told["read"]]
    if task == "block-read":
        return plain(get(told["block_read"]))
    if task == "clock":
        time, status = datetime_from_bytes(get(told["clock"]))
        return {"time": time.isoformat(), "status": int.from_bytes(status.to_bytes(), "big")}
    if task != "profile":
        raise NotImplementedError(task)
    profile = told["profile"]
    columns = [
        CosemAttribute(CosemInterface(class_id), Obis.from_bytes(bytes(instance)), number)
        for class_id, instance, number, _ in get(profile, 3)
    ]
    period = get(profile, 4) // 60
    parser = ProfileGenericBufferParser(capture_objects=columns, capture_period=period)
    rows = parser.parse_bytes(session.get(attribute(profile)))
    return [[plain(cell.value) for cell in row] for row in rows]


def main(task: str, file: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    told = json.loads(Path(file).read_text())
    code = told["counter_from"].replace("-", ".").replace(":", ".")
    with client(told).session() as public:
        where = CosemAttribute(CosemInterface.DATA, Obis.from_string(code), 2)
        counter = utils.parse_as_dlms_data(public.get(where))
    with client(told, counter=counter + 1).session() as session:
        value = do(task, session, told)
    print(json.dumps(value))


if __name__ == "__main__":
    main(*sys.argv[1:])
