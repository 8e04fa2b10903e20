"""The causes that have to do with encryption and certificates; a part of `causes`."""

from __future__ import annotations

from typing import Final

from bounty_ops.errors import AuthenticationFailed
from bounty_ops.postgres.cause import URL, Cause

TLS_REQUIRED: Final = Cause(
    "tls_required",
    AuthenticationFailed,
    "the server takes this role only over TLS, and the URL forbids TLS",
    "Add sslmode=verify-full to the URL (sslmode=require encrypts without verifying), in place of "
    "sslmode=disable.",
    "SQLSTATE 28000 in the clear, and another answer over TLS",
)
TLS_NOT_OFFERED: Final = Cause(
    "tls_not_offered",
    AuthenticationFailed,
    "the server does not offer TLS, but this connection insists on it",
    f"Switch TLS on at the server, or change sslmode in {URL}.",
    "the answer N to SSLRequest",
)
CERTIFICATE_UNVERIFIED: Final = Cause(
    "certificate_unverified",
    AuthenticationFailed,
    "the server's TLS certificate could not be verified",
    "Give the provider's root certificate with sslrootcert=/path/to/root.crt in the URL, and see "
    "that its host is the one that the certificate names.",
    "OpenSSL's verify code",
)
CERTIFICATE_EXPIRED: Final = Cause(
    "certificate_expired",
    AuthenticationFailed,
    "the server's TLS certificate has expired",
    "Renew it at the server and let it reload (SELECT pg_reload_conf()); if it should still be "
    "valid, set this machine's clock.",
    "OpenSSL's verify code 10",
)
CERTIFICATE_NOT_YET_VALID: Final = Cause(
    "certificate_not_yet_valid",
    AuthenticationFailed,
    "the server's TLS certificate is not valid yet",
    "Set this machine's clock; if it is right, give the server a certificate that is valid today.",
    "OpenSSL's verify code 9",
)
ROOT_CERTIFICATE_MISSING: Final = Cause(
    "root_certificate_missing",
    AuthenticationFailed,
    "there is no root certificate to verify the server with",
    f"Give it with sslrootcert=/path/to/root.crt (or sslrootcert=system) in {URL}.",
    "the file that sslrootcert names is not there",
)
CLIENT_CERTIFICATE_MISSING: Final = Cause(
    "client_certificate_missing",
    AuthenticationFailed,
    "the server asks for a certificate of this client and refuses it without one",
    f"Give it with sslcert=/path/to/client.crt&sslkey=/path/to/client.key in {URL}; its common "
    "name (CN) has to be the role, or to be mapped to it in pg_ident.conf.",
    "SQLSTATE 28000 from a server that sends a CertificateRequest, or TLS alert 116",
)
CLIENT_CERTIFICATE_REFUSED: Final = Cause(
    "client_certificate_refused",
    AuthenticationFailed,
    "the server does not accept the certificate of this client",
    f"Have it signed by an authority in the server's ssl_ca_file, or name another one in {URL} "
    "(sslcert, sslkey).",
    "the server's TLS alert 42 to 46 or 48",
)
CLIENT_KEY_UNUSABLE: Final = Cause(
    "client_key_unusable",
    AuthenticationFailed,
    "the certificate of this client cannot be used",
    "Give sslkey the key that belongs to sslcert, in a file that only its owner may read "
    "(chmod 600), and its password with sslpassword.",
    "the files that sslcert and sslkey name",
)
TLS_FAILED: Final = Cause(
    "tls_failed",
    AuthenticationFailed,
    "the server offers TLS, but no encryption could be agreed on",
    "See the server's TLS settings (ssl_min_protocol_version, ssl_ciphers) and its log.",
    "the answer S to SSLRequest, and no startup message after it",
)
