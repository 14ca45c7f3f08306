"""Ways to give a forward pass."""
