from arcferry.diagnosis import Diagnosis


def errors(found: Diagnosis) -> list[str]:
    return [one.cause for one in found.findings if one.severity == "error"]


def others(found: Diagnosis) -> list[str]:
    """What is neither an error nor a risk, and should not be there."""
    return [
        one.cause for one in found.findings if one.severity != "error" and not one.cause.startswith("risk/")
    ]


def explained(found: Diagnosis) -> str:
    """All findings, for a test that fails."""
    return "\n".join(f"{one.severity} {one.cause}: {one.title}" for one in found.findings)
