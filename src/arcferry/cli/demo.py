def demo() -> None:
    """Tell the whole story on a twin of its own: check, explain, fix, bundle, onboard, verify.

    Runs arcferry's own commands, shows each with its output, takes about a minute, and leaves nothing behind.
    """
    from arcferry.lab.demo import tell
    from arcferry.report.console import stdout

    tell(stdout())
