def explain() -> None:
    """Placeholder until the piece lands."""
