import time

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from steps import given, step, verified

JWT = given["auth"] == "private_key_jwt"
SECRET = given["key_pem"] if JWT else given["client_secret"]


def describe(err):
    if isinstance(err, OAuthError):
        return {"type": type(err).__name__, "code": err.error, "description": err.description}
    return {"type": type(err).__name__, "description": str(err)}


def session(secret=SECRET, claims=None, **options):
    """A new one for each request: Authlib reuses the claims with their jti."""
    made = OAuth2Session(
        given["client_id"], secret, token_endpoint=metadata["token_endpoint"],
        token_endpoint_auth_method=given["auth"], revocation_endpoint_auth_method=given["auth"], **options)
    if JWT:
        # It signs for an hour unless told otherwise.
        claims = {"exp": int(time.time()) + 60} if claims is None else claims
        made.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], claims=claims, alg=given["alg"]))
    return made


def discover():
    response = requests.get(get_well_known_url(given["base"], external=True))
    found = AuthorizationServerMetadata(response.json())
    for key in found.REGISTRY_KEYS:
        # Authlib wants a response type; without an authorization endpoint there is none.
        if key != "response_types_supported":
            getattr(found, "validate_" + key)()
    return {"metadata": found}


def token(session):
    return {"token": session.fetch_token(grant_type="client_credentials")}


def introspect(session, access):
    response = session.introspect_token(metadata["introspection_endpoint"], token=access, token_type_hint="access_token")
    return {"status": response.status_code, "answer": response.json()}


def revoke(session, access):
    response = session.revoke_token(metadata["revocation_endpoint"], token=access, token_type_hint="access_token")
    return {"status": response.status_code}


def wrong_secret():
    if not JWT:
        return SECRET + "x"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def same_assertion_twice():
    same = session(claims={"exp": int(time.time()) + 60})
    token(same)
    return token(same)


def resource_server():
    server = given["resource_server"]
    return OAuth2Session(server["id"], server["secret"])


def main():
    scoped = session(scope=given["scope"])
    access = step("token", lambda: token(scoped), describe)["token"]["access_token"]
    step("token without scope", lambda: token(session()), describe)
    step("verify", lambda: verified(scoped.get(given["base"] + "/oauth2/verify")), describe)
    step("introspect", lambda: introspect(session(), access), describe)
    step("introspect as resource server", lambda: introspect(resource_server(), access), describe)
    step("revoke", lambda: revoke(session(), access), describe)
    step("introspect after revoke", lambda: introspect(session(), access), describe)
    step("introspect after revoke as resource server", lambda: introspect(resource_server(), access), describe)
    step("verify after revoke", lambda: verified(scoped.get(given["base"] + "/oauth2/verify")), describe)
    step("wrong secret", lambda: token(session(wrong_secret())), describe)
    step("refused scope", lambda: token(session(scope=given["refused_scope"])), describe)
    if JWT:
        step("jti used before", same_assertion_twice, describe)
        step("assertion for an hour", lambda: token(session(claims={})), describe)


metadata = step("discovery", discover, describe)["metadata"]
main()
