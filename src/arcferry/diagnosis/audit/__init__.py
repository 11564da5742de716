"""Expected and observed side by side, endpoint by endpoint."""

from arcferry.diagnosis.audit.rows import Audit, Path, Row, audit
from arcferry.diagnosis.audit.sides import Expected, Observed

__all__ = ["Audit", "Expected", "Observed", "Path", "Row", "audit"]
