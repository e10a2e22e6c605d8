"""Octets thrown at every parser, guided by coverage: none of them may leave its contract.

The harnesses, their corpora and what is replayed need nothing but cosemlab; to look for more,
``atheris`` is needed (``pip install 'cosemlab[atheris]'``, Linux only).
"""
