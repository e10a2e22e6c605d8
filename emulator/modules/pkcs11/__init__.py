"""A Cryptographic Module on any vendor's token, by PKCS#11 (OASIS, version 2.40).

All keys are used inside the token. What nevertheless passes through the memory of this process is
listed in ``docs/modules.md``: PKCS#11 takes additional authenticated data as octets, so an
Authentication Key leaves the token whenever it is used.
"""
