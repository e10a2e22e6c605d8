"""Lists from CSV files into the register."""

from emulator.products.importing.lists import import_list

__all__ = ["import_list"]
