"""What a search has found: made as small as it gets, told apart, filed, reported."""
