"""Keys that are born in a SoftHSM token establish TLS 1.2, at both ends of a connection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from tls.contexts import CIPHERS

PATIENCE = 120.0
LIBRARIES = [
    Path(folder, "softhsm/libsofthsm2.so")
    for folder in ("/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")
]


def test_keys_of_a_token(tmp_path: Path) -> None:
    library = next((one for one in LIBRARIES if one.exists()), None)
    if library is None or which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not installed (Debian: softhsm2)")
    script = Path(__file__).with_name("token_peers.py")
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(library)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["ours"] == [True] * 8
    assert told["theirs"] == [["4845530000000002", CIPHERS[0], True]] * 8
    # One signature of each end for each handshake; the ninth server had signed when it was refused.
    assert told["digests"] == [32] * 18
    assert told["refusal"] == "own-key: the signature does not verify under the certificate"
