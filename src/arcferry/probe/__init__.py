"""What the network answers from here: names, TCP, TLS, HTTP, proxy."""
