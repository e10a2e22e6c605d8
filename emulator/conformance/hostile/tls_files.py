"""What a head end needs to call over TLS, as PEM files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from emulator.conformance.hostile.material import MODE
from tls.pki import TestPki

COMMON_NAME = "head end under test"


@contextmanager
def pem_files(pki: TestPki, title: bytes) -> Iterator[Mapping[str, str]]:
    """Paths of ``ca``, ``certificate`` and ``key`` for a client of that system title, which are
    there as long as this is entered.
    """
    credential = pki.issue_client(title, COMMON_NAME)
    contents = {
        "ca": pki.trust().roots_pem,
        "certificate": credential.chain_pem,
        "key": credential.private_key_pem,
    }
    with TemporaryDirectory(prefix="cosemlab-") as folder:
        paths = {}
        for name, octets in contents.items():
            path = Path(folder) / f"{name}.pem"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
                file.write(octets)
            paths[name] = str(path)
        yield paths
