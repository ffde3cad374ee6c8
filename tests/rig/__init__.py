"""What measurements and breakages start, stop, ask and print. Python's standard library alone."""
