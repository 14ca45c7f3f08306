"""From a forward graph to its backward pass, as ordered steps that each carry a reason."""
