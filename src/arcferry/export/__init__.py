from arcferry.export.options import (
    CertificateSignIn,
    ExportOptions,
    SignIn,
    TokenFile,
    Tool,
    read_tags,
    tool,
)
from arcferry.export.write import export

__all__ = [
    "CertificateSignIn",
    "ExportOptions",
    "SignIn",
    "TokenFile",
    "Tool",
    "export",
    "read_tags",
    "tool",
]
