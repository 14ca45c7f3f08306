"""The mistakes that people make in a backward pass: one table, and the edits of right equations that it is made of."""
