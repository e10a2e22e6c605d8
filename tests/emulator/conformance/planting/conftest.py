"""What makes the table of faults and checks bearable."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from tlslite.utils import python_aes, python_aesgcm


class Blocks:
    """AES, a block at a time, as tlslite-ng asks for it. Its own is written in Python, and takes a
    third of the time of a fault that is met over TLS.
    """

    def __init__(self, key: bytes, block_size: int = 16) -> None:
        assert block_size == AES.block_size // 8
        self.block_size = block_size
        cipher = Cipher(AES(bytes(key)), ECB())  # a block, and no mode
        self._encryptor, self._decryptor = cipher.encryptor(), cipher.decryptor()

    def encrypt(self, block: bytes) -> bytearray:
        return bytearray(self._encryptor.update(bytes(block)))

    def decrypt(self, block: bytes) -> bytearray:
        return bytearray(self._decryptor.update(bytes(block)))


@pytest.fixture(autouse=True)
def quick_aes(monkeypatch: pytest.MonkeyPatch) -> type[Blocks]:
    for module in (python_aes, python_aesgcm):
        monkeypatch.setattr(module, "Rijndael", Blocks)
    return Blocks
