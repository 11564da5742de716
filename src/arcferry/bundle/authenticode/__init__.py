from arcferry.bundle.authenticode.roots import MICROSOFT, Roots
from arcferry.bundle.authenticode.verify import Signature, verify_msi

__all__ = ["MICROSOFT", "Roots", "Signature", "verify_msi"]
