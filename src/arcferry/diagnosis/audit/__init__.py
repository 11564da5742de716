"""Expected and observed side by side, endpoint by endpoint."""

from arcferry.diagnosis.audit.expected import Expected
from arcferry.diagnosis.audit.observed import Observed
from arcferry.diagnosis.audit.side_by_side import Audit, Path, Row, audit

__all__ = ["Audit", "Expected", "Observed", "Path", "Row", "audit"]
