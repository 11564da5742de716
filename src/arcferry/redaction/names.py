"""What settings, headers, options and elements that hold a secret are called, in the languages of users."""

import re
from functools import lru_cache
from itertools import pairwise

FOREIGN = (
    "密碼",
    "密码",
    "口令",
    "通關密語",
    "通关密语",
    "通行碼",
    "通行码",
    "密鑰",
    "密钥",
    "金鑰",
    "私鑰",
    "私钥",
    "祕密",
    "秘密",
    "權杖",
    "权杖",
    "令牌",
    "凭据",
    "認證碼",
    "验证码",
    "パスワード",
    "パスフレーズ",
    "暗証番号",
    "シークレット",
    "合言葉",
    "トークン",
    "비밀번호",
    "암호",
    "토큰",
    "시크릿",
    "รหัสผ่าน",
    "كلمة المرور",
    "סיסמה",
    "пароль",
    "пароля",
    "секрет",
    "jelszó",
    "hasło",
    "şifre",
    "lösenord",
    "contraseña",
    "mật khẩu",
    "mot de passe",
    "palavra-passe",
    "kata sandi",
    "mat khau",
    "zugangsschlüssel",
    "schlüssel",
)
"""Names that stand for themselves wherever they are found: in scripts without blanks, or of several words."""

ANCHORS = (
    "secret",
    "pass",
    "pw",
    "psk",
    "cak",
    "phash",
    "key",
    "cred",
    "securestring",
    "ascii-text",
    "md5",
    "token",
    "authori",
    "assertion",
    "signature",
    "cookie",
    "otp",
    "bearer",
    "mdp",
    "clave",
    "senha",
    "parola",
    "wachtwoord",
    "haslo",
    "heslo",
    "sifre",
    "kennwort",
    "geheimnis",
    "adgangskode",
    "salasana",
    "contrasena",
    "losenord",
    "jelszo",
)
"""Every other name holds one of these, in lower case."""

_PARTS = (
    "secret",
    "passw",
    "passphrase",
    "passcode",
    "credential",
    "securestring",
    "md5sig",
    "authtoken",
    "kennwort",
    "geheimnis",
    "wachtwoord",
    "losenord",
    "adgangskode",
    "salasana",
    "contrasena",
    "jelszo",
    "passord",
    *FOREIGN,
)
_WORDS = frozenset(
    (
        "pw",
        "pwd",
        "psk",
        "cak",
        "phash",
        "mdp",
        "clave",
        "senha",
        "parola",
        "haslo",
        "heslo",
        "sifre",
        "userpass",
        "dbpass",
        "keystring",
    )
)
_NO_PASSWORDS = frozenset(("bypass", "compass", "trespass", "surpass", "encompass", "overpass", "underpass"))
_LAST = frozenset(("pass", "otp", "cookie", "cookies", "creds"))
_OF_KEYS = frozenset(
    (
        "access",
        "account",
        "admin",
        "agent",
        "api",
        "app",
        "application",
        "auth",
        "authentication",
        "authorization",
        "chap",
        "client",
        "community",
        "consumer",
        "device",
        "encryption",
        "enrollment",
        "function",
        "functions",
        "hmac",
        "host",
        "instrumentation",
        "integrity",
        "license",
        "localized",
        "master",
        "onboarding",
        "pair",
        "preshared",
        "primary",
        "private",
        "product",
        "query",
        "radius",
        "registration",
        "root",
        "secondary",
        "secret",
        "security",
        "server",
        "service",
        "session",
        "shared",
        "sign",
        "signing",
        "ssh",
        "ssl",
        "sso",
        "storage",
        "subscription",
        "symmetric",
        "tacacs",
        "tls",
        "token",
        "vault",
        "vpn",
        "webhook",
        "wireguard",
        "workspace",
        "wpa",
        "sharedaccess",
        "isakmp",
        "apim",
        "web",
        "sas",
        "oauth",
        "jwt",
        "recovery",
        "decryption",
        "cipher",
        "aes",
        "user",
        "my",
        "git",
        "deploy",
    )
)
_OF_TOKENS = frozenset(
    (
        "access",
        "account",
        "admin",
        "api",
        "auth",
        "authentication",
        "bearer",
        "bot",
        "csrf",
        "deploy",
        "device",
        "id",
        "identity",
        "jwt",
        "management",
        "msi",
        "oauth",
        "oauth2",
        "personal",
        "private",
        "provisioning",
        "refresh",
        "registration",
        "sas",
        "security",
        "server",
        "service",
        "session",
        "sso",
        "user",
        "vault",
        "web",
        "xsrf",
        "my",
        "github",
        "gitlab",
        "slack",
        "npm",
        "bootstrap",
        "join",
        "sync",
        "client",
        "app",
    )
)
_PAIRS = frozenset(
    (
        ("key", "string"),
        ("key", "content"),
        ("ascii", "text"),
        ("client", "assertion"),
        ("oauth2", "bearer"),
        ("pass", "phrase"),
        ("pass", "word"),
        ("pass", "code"),
        ("access", "signature"),
        ("passe", "wort"),
        ("parola", "chiave"),
    )
)
_OF_HEADERS = frozenset(("proxy", "x", "http", "ms", "amz", "aux"))
_WEAK = frozenset(
    (
        "token",
        "tokens",
        "key",
        "keys",
        "auth",
        "cred",
        "signature",
        "sig",
        "bearer",
        "md5",
        "pin",
        "pat",
        "sas",
        "nonce",
        "code",
    )
)
_ABOUT = frozenset(
    (
        "id",
        "ids",
        "name",
        "names",
        "uri",
        "url",
        "urls",
        "path",
        "file",
        "filename",
        "endpoint",
        "type",
        "expires",
        "expiry",
        "expiration",
        "expired",
        "length",
        "policy",
        "provider",
        "count",
        "size",
        "age",
        "date",
        "time",
        "status",
        "state",
        "error",
        "errors",
        "version",
        "algorithm",
        "hint",
        "required",
        "enabled",
        "changed",
        "lastset",
        "method",
        "scheme",
        "usage",
        "location",
        "thumbprint",
        "source",
        "kind",
        "index",
        "manager",
        "prompt",
        "reset",
        "lifetime",
        "rotation",
        "tenant",
        "audience",
        "issuer",
        "in",
    )
)
"""What a name ends in that says something about a secret, and does not hold it."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^a-zA-Z0-9\u0080-\U0010ffff]+")
_LONGEST = 120


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever it is."""
    words = _words(name)
    if not words or words[-1] in _ABOUT:
        return False
    plain = name.lower()
    if any(part in plain for part in _PARTS) or any(word in _WORDS for word in words):
        return True
    last = words[-1].rstrip("0123456789")
    if last in _LAST or (last.endswith("pass") and last not in _NO_PASSWORDS):
        return True
    if words[-1] == "authorization":
        return len(words) == 1 or words[-2] in _OF_HEADERS
    pairs = [*pairwise(words), *_glued(words)]
    return any(
        pair in _PAIRS
        or (pair[1] in ("key", "keys") and pair[0] in _OF_KEYS)
        or (
            pair[1] in ("token", "tokens")
            and (pair[0] in _OF_TOKENS or not pair[0].isalpha() or "_" in plain)
        )
        for pair in pairs
    )


@lru_cache(maxsize=4096)
def may_be_secret(name: str) -> bool:
    """Whether what stands under this name is a secret where it looks like one."""
    words = _words(name)
    return bool(words) and words[-1] not in _ABOUT and any(word in _WEAK for word in words)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _CAMEL.split(name[:_LONGEST]) if word]


def _glued(words: list[str]) -> list[tuple[str, str]]:
    """`accesskey` and `authtoken` as the two words that they are."""
    ends = ("keys", "key", "tokens", "token")
    return [(word[: -len(end)], end) for word in words for end in ends if word.endswith(end) and word != end]
