"""How a meter lives: what happens by itself as time goes on, and what is done to it by hand."""
