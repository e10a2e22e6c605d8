"""The head end: the S1SP and the DCO, and what they do to a meter.

- :mod:`emulator.head_end.party`       one of the two, with its certificate, keys and counters
- :mod:`emulator.head_end.association` an association of a party with a meter
- :mod:`emulator.head_end.services`    read, top up, instruct
- :mod:`emulator.head_end.assembly`    both parties put together
"""
