from arcferry.bundle.authenticode.pe import verify_program
from arcferry.bundle.authenticode.roots import MICROSOFT, PYTHON, Roots
from arcferry.bundle.authenticode.verify import Signature, verify_msi

__all__ = ["MICROSOFT", "PYTHON", "Roots", "Signature", "verify_msi", "verify_program"]
