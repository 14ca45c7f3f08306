"""Training: steps that change the parameters, taken as long as is asked for."""
