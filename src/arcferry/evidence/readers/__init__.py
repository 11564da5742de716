"""Readers: each turns one kind of file into what it says; `evidence.reading` asks them."""
