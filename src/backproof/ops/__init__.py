"""The rule table: all that is known of each operation, one row apiece."""
