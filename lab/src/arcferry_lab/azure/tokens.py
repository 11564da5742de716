"""Access tokens: RS256-signed JWTs, as Entra issues and ARM checks them."""

import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

LIFE = timedelta(hours=1)
_BITS = 2048


class TokenRefusedError(Exception):
    """A bearer token that ARM does not take.

    Attributes:
        code: ARM's code, such as `ExpiredAuthenticationToken`.
        says: the reason, for the caller to read.
    """

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code
        self.says = says


class TokenSigner:
    """The twin's token-signing key: everything it signs, and nothing else, verifies.

    Attributes:
        life: of the access tokens that it hands out.
    """

    def __init__(self) -> None:
        self.key_id = secrets.token_urlsafe(20)
        self.life = LIFE

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        # Only once it is needed: it costs a third of a twin's start, and many a twin signs nothing.
        return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self.key_id})

    def access_token(
        self, *, tenant: str, client: str, object_id: str, audience: str, life: timedelta | None = None
    ) -> str:
        """An application's access token for one resource."""
        now = datetime.now(UTC)
        return self.sign(
            {
                "aud": audience,
                "iss": f"https://sts.windows.net/{tenant}/",
                "iat": now,
                "nbf": now - timedelta(minutes=5),  # for whoever checks it by a clock that is behind
                "exp": now + (self.life if life is None else life),
                "appid": client,
                "appidacr": "1",
                "idtyp": "app",
                "oid": object_id,
                "sub": object_id,
                "tid": tenant,
                "uti": secrets.token_urlsafe(16),
                "ver": "1.0",
            }
        )

    def key_set(self) -> dict[str, Any]:
        """The public half as a JSON Web Key Set."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def read(self, token: str, audiences: set[str]) -> dict[str, Any]:
        """A token's claims, after its signature, life and audience have been verified.

        Raises:
            TokenRefusedError: any of them is not as it must be.
        """
        try:
            return jwt.decode(
                token,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=audiences,
                options={"require": ["exp", "aud", "appid", "tid"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefusedError("ExpiredAuthenticationToken", "the access token has expired") from error
        except jwt.InvalidAudienceError as error:
            raise TokenRefusedError(
                "InvalidAuthenticationTokenAudience", "the access token was issued for another resource"
            ) from error
        except jwt.InvalidTokenError as error:
            raise TokenRefusedError("InvalidAuthenticationToken", "the access token is invalid") from error
