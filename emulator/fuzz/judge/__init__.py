"""What must be in every run: a reference model, and the invariants that are looked at by it."""
