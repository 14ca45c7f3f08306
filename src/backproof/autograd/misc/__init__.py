"""What goes with gradients: forms as vectors, and steps along gradients (`optimizers`)."""

from backproof.autograd.misc.flatten import flatten

__all__ = ["flatten"]
