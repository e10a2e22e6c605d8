"""SMETS1 Service Requests: what a User may ask of a meter, and how nobody else can.

- :mod:`~emulator.requests.variants`   the Service Reference Variants, a table
- :mod:`~emulator.requests.fitting`    what each becomes at a meter of a profile, or why it cannot
- :mod:`~emulator.requests.documents`  the request, and what each hand adds to it
- :mod:`~emulator.requests.signing`    signatures on them
- :mod:`~emulator.requests.enrolment`  whose keys they verify with, and whose each meter is
- :mod:`~emulator.requests.replay`     execution counters: none twice
- :mod:`~emulator.requests.response`   the SMETS1 Response and the SMETS1 Alert
"""
