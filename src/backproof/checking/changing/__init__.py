"""Changes of somebody's statements, each of which undoes a mistake."""
