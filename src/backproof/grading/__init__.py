"""The backward passes of a whole class: each is checked in a process of its own and becomes a row of a table."""
