"""Pictures of what a meter has counted and what credit it had."""
