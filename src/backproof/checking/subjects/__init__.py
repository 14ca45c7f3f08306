"""Sources of user code: each file makes of one kind of it what the doctor runs."""
