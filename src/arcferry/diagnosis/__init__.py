"""From what was observed and handed in to causes, with evidence, an owner and the change to ask for."""

from arcferry.diagnosis.finding import Diagnosis, Finding, Owner, Severity
from arcferry.diagnosis.judge import judge

__all__ = ["Diagnosis", "Finding", "Owner", "Severity", "judge"]
