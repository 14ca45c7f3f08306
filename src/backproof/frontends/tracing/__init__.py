"""Plain NumPy code as a forward pass: a function is run once, and what it does to its arguments is written down."""
