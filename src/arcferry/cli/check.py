def check() -> None:
    """Placeholder until the piece lands."""
