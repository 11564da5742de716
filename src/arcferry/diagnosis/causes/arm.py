"""What Azure Resource Manager refuses: rights, providers, names, policies, locks, limits."""

from arcferry.diagnosis.causes.coded import coded
from arcferry.diagnosis.finding import Owner

FAMILY = (
    coded("arm/not-authorized", Owner.AZURE),
    coded("arm/provider-not-registered", Owner.AZURE),
    coded("arm/name-taken", Owner.AZURE),
    coded("arm/name-reserved", Owner.SERVER),
    coded("arm/region-not-available", Owner.AZURE),
    coded("arm/policy-forbids", Owner.AZURE),
    coded("arm/locked", Owner.AZURE),
    coded("arm/limit-reached", Owner.AZURE),
    coded("arm/group-missing", Owner.AZURE),
    coded("arm/subscription-unusable", Owner.AZURE),
    coded("arm/throttled", Owner.SERVER),
    coded("arm/unavailable", Owner.AZURE),
)
