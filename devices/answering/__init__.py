"""How a device carries out requests: one attribute, one method, lists of them, by either name."""
