from arcferry.export.model import (
    CertificateSignIn,
    ExportOrder,
    SignIn,
    TokenFile,
    Tool,
    certificate_sign_in,
    order,
    token_file,
    tool,
)
from arcferry.export.write import export

__all__ = [
    "CertificateSignIn",
    "ExportOrder",
    "SignIn",
    "TokenFile",
    "Tool",
    "certificate_sign_in",
    "export",
    "order",
    "token_file",
    "tool",
]
