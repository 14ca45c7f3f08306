"""Graphs: nodes, named sizes, symbols. Everything else in Backproof is about these."""
