"""Values: evaluating graphs, traces, and where an entry comes from."""
