"""A supplier's own system (its SMSO), from which meters are enrolled with the DCC.

It is not the DCC: what it does is not tagged and is in no ledger.

- :mod:`emulator.supplier.system`    its secret, its authority, its certificate
- :mod:`emulator.supplier.exporting` the keys of its meters, wrapped for one party of the DCC
- :mod:`emulator.supplier.archive`   what is left of it when it is gone
- :mod:`emulator.supplier.trying`    what it can do to a meter, with everything that it has
"""
