from arcferry.bundle.authenticode.carried import Signature
from arcferry.bundle.authenticode.roots import MICROSOFT, Roots
from arcferry.bundle.authenticode.verify import PUBLISHER, verify_msi

__all__ = ["MICROSOFT", "PUBLISHER", "Roots", "Signature", "verify_msi"]
