"""A private key that is in a token, as the ``cryptography`` package takes one to sign a request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm


class RequestKey(ec.EllipticCurvePrivateKey):
    """``sign_digest`` gives ``R ‖ S``. It can sign, and nothing else."""

    def __init__(
        self, public: ec.EllipticCurvePublicKey, sign_digest: Callable[[bytes], bytes]
    ) -> None:
        self._public = public
        self._sign_digest = sign_digest

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        algorithm = signature_algorithm.algorithm
        assert isinstance(algorithm, HashAlgorithm)  # a request is not hashed before
        signature = self._sign_digest(hashlib.new(algorithm.name, data).digest())
        half = len(signature) // 2
        return encode_dss_signature(
            int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        )

    def exchange(self, algorithm: Any, peer_public_key: Any) -> NoReturn:
        raise TypeError("this key only signs")

    def private_numbers(self) -> NoReturn:
        raise TypeError("this key does not leave its token")

    def private_bytes(self, *form: Any, **more: Any) -> NoReturn:
        raise TypeError("this key does not leave its token")

    def __copy__(self) -> RequestKey:
        return self

    def __deepcopy__(self, memo: Any) -> RequestKey:
        return self
