"""What a head end needs to call over TLS, as PEM files."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from emulator.conformance.hostile.material import MODE
from tls.contexts import client_context
from tls.credentials import Credential, Trust
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


def context_of(files: Mapping[str, str]) -> ssl.SSLContext:
    """A client's, of such files."""
    read = {name: Path(path).read_bytes() for name, path in files.items()}
    credential = Credential(chain_pem=read["certificate"], private_key_pem=read["key"])
    return client_context(credential, Trust(roots_pem=read["ca"]))
