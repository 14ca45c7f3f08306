"""Native code for any step: arrays of any number of axes, laid out entry by entry."""
