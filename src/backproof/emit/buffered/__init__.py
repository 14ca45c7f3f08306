"""Steps of a training as NumPy source that computes into the same arrays again and again."""
