from arcferry.bundle.certificates.certificate import Certificate, certificate_files
from arcferry.bundle.certificates.roots import server_certificates
from arcferry.bundle.certificates.signature import certificates_of_signature

__all__ = ["Certificate", "certificate_files", "certificates_of_signature", "server_certificates"]
