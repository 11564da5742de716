"""The steps of one host, a file each: what it decides from the host's state, and what it does."""
