"""From what was observed and handed in to causes, with evidence, an owner and the change to ask for."""

from arcferry.diagnosis.engine import diagnose
from arcferry.diagnosis.finding import Diagnosis, Finding, Owner, Severity

__all__ = ["Diagnosis", "Finding", "Owner", "Severity", "diagnose"]
