import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from steps import given, step, verified

TOKEN_URL = given["base"] + "/oauth2/token"
BASIC = HTTPBasicAuth(given["client_id"], given["client_secret"])


def describe(err):
    if isinstance(err, OAuth2Error):
        return {"type": type(err).__name__, "code": err.error, "description": err.description}
    return {"type": type(err).__name__, "description": str(err)}


def session(scope=None):
    return OAuth2Session(client=BackendApplicationClient(given["client_id"], scope=scope))


def token(session, secret=given["client_secret"]):
    inside = True if given["auth"] == "client_secret_post" else None
    return {"token": session.fetch_token(TOKEN_URL, client_secret=secret, include_client_id=inside)}


def token_both_named():
    return {"token": session().fetch_token(TOKEN_URL, auth=BASIC, include_client_id=True)}


def verify(session):
    return verified(session.get(given["base"] + "/oauth2/verify"))


def revoke(session, access):
    # This client prepares the request and leaves it to be sent.
    post = given["auth"] == "client_secret_post"
    inside = {"client_id": given["client_id"], "client_secret": given["client_secret"]} if post else {}
    url, headers, body = session._client.prepare_token_revocation_request(given["base"] + "/oauth2/revoke", access, **inside)
    return {"status": requests.post(url, data=body, headers=headers, auth=None if post else BASIC).status_code}


def main():
    scoped = session([given["scope"]])
    access = step("token", lambda: token(scoped), describe)["token"]["access_token"]
    step("token without scope", lambda: token(session()), describe)
    if given["auth"] == "client_secret_basic":
        step("client ID beside Basic", token_both_named, describe)
    step("verify", lambda: verify(scoped), describe)
    step("revoke", lambda: revoke(scoped, access), describe)
    step("verify after revoke", lambda: verify(scoped), describe)
    step("wrong secret", lambda: token(session(), given["client_secret"] + "x"), describe)
    step("refused scope", lambda: token(session([given["refused_scope"]])), describe)


main()
