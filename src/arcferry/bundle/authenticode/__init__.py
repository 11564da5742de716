from arcferry.bundle.authenticode.roots import MICROSOFT, Roots
from arcferry.bundle.authenticode.verify import PUBLISHER, Signature, verify_msi

__all__ = ["MICROSOFT", "PUBLISHER", "Roots", "Signature", "verify_msi"]
