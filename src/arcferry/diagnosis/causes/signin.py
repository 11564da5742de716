"""Sign-ins to Entra ID that fail."""

from arcferry.diagnosis.causes.coded import coded
from arcferry.diagnosis.finding import Owner

FAMILY = (
    coded("signin/secret-invalid", Owner.IDENTITY),
    coded("signin/secret-expired", Owner.IDENTITY),
    coded("signin/wrong-tenant", Owner.IDENTITY),
    coded("signin/application-unknown", Owner.IDENTITY),
    coded("signin/conditional-access", Owner.IDENTITY),
    coded("signin/tenant-restricted", Owner.NETWORK),
    coded("signin/certificate-not-found", Owner.IDENTITY),
    coded("signin/token-rejected", Owner.IDENTITY),
    coded("signin/timed-out", Owner.SERVER),
)
