"""The scripts that are pasted on a server, and `blocks.py`, which puts the names into them."""
