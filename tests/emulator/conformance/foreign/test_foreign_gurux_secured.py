"""Security of a meter that others wrote: gurux-dlms with GMAC, ciphering, and mechanisms 1, 3, 4
and 6 beside it, by way of a draft through its ciphered association.

What it is declared to fail each has been looked at by hand: the octets in the report, and where in
the package they come from. The reasons say what came.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.client.keys import Keys
from emulator.conformance.declaration.key_file import save

PROGRAM = "gurux_secured_meter.py"
SUITE_KEYS = {
    "guek": bytes(range(16)),
    "gak": bytes(range(0xD0, 0xE0)),
    "kek": bytes(range(0x40, 0x50)),
}
PASSWORD, SECRET = b"12345678", b"secret of HLS ..."[:16]
KEYS = {
    "client2": Keys(**SUITE_KEYS),
    "client1_server1": Keys(password=PASSWORD),
    "client3_server1": Keys(password=PASSWORD, **SUITE_KEYS),
    "client5_server1": Keys(hls_secret=SECRET),
    "client6_server1": Keys(hls_secret=SECRET),
    "client7_server1": Keys(hls_secret=SECRET),
}
TITLE = "43534D0000000001"
OPENING = (
    "--client-sap", "2", "--mechanism", "hls-gmac", "--keys", "client2", "--own-title", TITLE,
    "--counter-from", "0-0:43.1.0.255",
)  # fmt: skip
TIMES = "[timing]\nanswer = 0.5\nsilence = 0.05\npatience = 1.0\n\n"

GROUPS = ("symsec", "appl", "x-aarq", "x-services", "x-objects", "x-suites", "X_WPDU_TCP_DROP")
PASSES = {
    "APPL_OPEN_3", "APPL_OPEN_13", "SYMSEC_0_FraCount_3", "SYMSEC_0_SecDataX_P1", "X_AARQ_PASSWORD",
    "X_AARQ_TWICE", "X_STATE_HLS_PENDING", "X_CONFORMANCE_BITS", "X_OBJ_OBIS", "X_OBJ_STRUCTURE",
    "X_OBJ_WRITE_BACK", "X_SUITE1_HLS6_P",
}  # fmt: skip

NO_RETURN_PARAMETERS = "an ActionResponse ends with its result, without the octet of an option"
NO_APDU = "an answer whose first octet is 00"
HDLC_ON_TCP = "an HDLC frame, on the wrapper"
RLRE_LENGTH = "the length of the RLRE is another than it has"
EXPECTED = {
    "APPL_IDLE_N1": HDLC_ON_TCP,
    "APPL_OPEN_1": RLRE_LENGTH,
    "APPL_OPEN_4": "a protocol version without version1 is accepted",
    "APPL_OPEN_5": NO_APDU,
    "APPL_OPEN_6": NO_APDU,
    "APPL_OPEN_7": "an AARQ without sender-acse-requirements is accepted",
    "APPL_OPEN_11": "a quality of service is taken for a length",
    "APPL_OPEN_14": "an AARQ with 12 octets is rejected",
    "APPL_DATA_LN_N1": "a GetResponse of the unknown choice comes",
    "APPL_DATA_LN_N3": "a SetResponse of the unknown choice comes",
    "APPL_DATA_LN_N4": "a SET that was not negotiated has a data-access-result",
    "APPL_REL_P1": RLRE_LENGTH,
    "SYMSEC_0_BasicCap_1": "a request that is only authenticated is answered under policy 3",
    "SYMSEC_0_FraCount_1": "a request that comes again is answered again",
    "SYMSEC_0_Key_Tx_P1": NO_RETURN_PARAMETERS,
    "SYMSEC_0_Key_Tx_P2": NO_RETURN_PARAMETERS,
    "SYMSEC_0_Key_Tx_P3": NO_RETURN_PARAMETERS,
    "SYMSEC_0_Key_Tx_N1": NO_RETURN_PARAMETERS,
    "SYMSEC_0_Key_Tx_N2": NO_RETURN_PARAMETERS,
    "SYMSEC_0_SecDataX_N1": "a SET with another tag is carried out",
    "X_AARQ_TRUNC": NO_APDU,
    "X_AARQ_ORDER": "an AARQ with two titles is accepted",
    "X_INVOKE_ID": NO_RETURN_PARAMETERS,
    "X_ACL_RIGHTS": NO_RETURN_PARAMETERS,
    "X_PUBLIC_MIN": NO_RETURN_PARAMETERS,
    "X_OBJ_ASSOCIATION": "the AARE has the client's longest APDU as the server's own",
    "X_SUITE_DOWNGRADE": "a security control with another suite is answered",
    "X_WPDU_TCP_DROP": "a counter of the connection before is taken",
}


def filled_in(path: Path) -> Path:
    """The draft with what no meter can say."""
    text = path.read_text("utf-8")
    for name in KEYS:
        if name != "client2":
            head = f"[associations.{name}]\n"
            assert head in text
            text = text.replace(head, f'{head}keys = "{name}"\n')
    sha256 = 'mechanism = "HLS_SHA256"'
    text = text.replace(sha256, f'{sha256}\nown_title = "{TITLE}"')
    text = text.replace("[logical_devices]\n", f"{TIMES}[logical_devices]\n", 1)
    values = (("writes", 10, "0506"), ("sta", 10, "1112"), ("sta", 11, "1314"))
    written = "".join(
        f'[[{table}]]\nassociation = "client2"\nclass = "Data"\nattribute = 2\n'
        f'object = "0-0:96.1.{number}.255"\nvalue = {{ octet-string = "{value}" }}\n\n'
        for table, number, value in values
    )
    text = text.replace("[exclusions]\n", f"{written}[exclusions]\n", 1)
    rows = "".join(f'{id} = "{reason}"\n' for id, reason in EXPECTED.items())
    text = text.replace("[expected]\n", f"[expected]\n{rows}", 1)
    path.write_text(text.replace("[features]\n", '[features]\n"key.transfer" = true\n'), "utf-8")
    return path


@pytest.fixture
def key_file(tmp_path: Path) -> tuple[str, ...]:
    keys = tmp_path / "keys.toml"
    save(keys, KEYS, "Of a meter for tests.")
    return "--key-file", str(keys)


@pytest.fixture
def secured(
    foreign: Callable[..., Any], key_file: tuple[str, ...], tmp_path: Path
) -> tuple[Any, Path]:
    """The meter, and a declaration of it."""
    meter = foreign(PROGRAM, "tcp")
    return meter, filled_in(meter.draft(tmp_path, *OPENING, *key_file))


def test_security_of_a_foreign_meter(secured: tuple[Any, Path]) -> None:
    meter, path = secured
    status, document = meter.run(path, *GROUPS)
    found = {case["id"]: case["verdict"] for case in document["cases"]}
    assert {id: found[id] for id in PASSES} == dict.fromkeys(PASSES, "PASSED")
    failed = {id for id, verdict in found.items() if verdict == "FAILED"}
    assert failed == set(EXPECTED)
    assert "ERROR" not in found.values()
    assert status == 0
    untold = [one for one in document["cases"] if one["verdict"] == "INCONCLUSIVE"]
    assert all(one["reasons"] for one in untold)


def test_what_cannot_be_decoded_is_shown_beneath_its_protection(
    secured: tuple[Any, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The octet at fault is one of the deciphered APDU, and that is where it is marked."""
    meter, path = secured
    capsys.readouterr()
    _, document = meter.run(path, "SYMSEC_0_Key_Tx_N1")
    shown = capsys.readouterr().out
    assert "octet 4 is not there" in shown
    kinds = ("-> apdu: glo", "<- apdu: glo", "-> plain: Action", "<- plain: malformed")
    assert [kind for kind in kinds if kind not in shown] == []
    (case,) = document["cases"]
    (difference, *_) = case["steps"][0]["differences"]
    entry = case["record"][difference["entry"]]
    assert (entry["level"], entry["octets"], difference["offset"]) == ("plain", "c7014101", 4)


def test_counters_that_come_again(
    foreign: Callable[..., Any],
    key_file: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """With the package's own counters no client of ours stays in: not for a draft, and not for a
    check.
    """
    path = filled_in(foreign(PROGRAM, "tcp").draft(tmp_path, *OPENING, *key_file))
    meter = foreign(PROGRAM, "tcp", "--own-counters")
    port = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("port ="))
    path.write_text(path.read_text("utf-8").replace(port, f"port = {meter.port}"), "utf-8")
    _, document = meter.run(path, "SYMSEC_0_FraCount_3", "APPL_OPEN_13")
    case = next(one for one in document["cases"] if one["id"] == "SYMSEC_0_FraCount_3")
    assert case["verdict"] != "PASSED"
    assert "invocation counter 0 is below 1" in "; ".join(case["reasons"])
