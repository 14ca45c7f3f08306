"""Checking gradients against an independent second opinion."""
