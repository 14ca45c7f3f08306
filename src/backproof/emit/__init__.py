"""Program text from graphs, one file for each language. It knows nothing of derivations."""
