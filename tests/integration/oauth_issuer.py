#!/usr/bin/python3
"""An OAuth server for tests, as python3-oauthlib has it: tokens are issued for client credentials, introspected (RFC 7662) and revoked (RFC 7009).

usage: oauth_issuer.py CERT KEY ADDRESS PORT LOG    (ends with its standard input; LOG has a line of JSON for each request; says `ready`)

Clients: `maker` (by Basic, maker-secret) gets tokens and revokes them; `checker` (by Basic, or by a bearer token with the scope `introspect`) may introspect;
`public` may without a secret, by its id in the form; whoever else is refused. Below /open/ everybody may.
"""

import base64
import http.server
import json
import ssl
import sys
import threading
import time
from urllib.parse import unquote_plus

from oauthlib.oauth2 import BackendApplicationServer, IntrospectEndpoint, RequestValidator, RevocationEndpoint

SECRETS = {"maker": "maker-secret", "checker": "ch&cker+s3cret/~", "urn:the-checker": "another s3cret"}
TOKENS = {}  # token: what is known of it
FORM = "application/x-www-form-urlencoded"


class Client:
    def __init__(self, client_id):
        self.client_id = client_id


class Validator(RequestValidator):
    is_open = False

    def client_authentication_required(self, request, *args, **kwargs):
        return not self.is_open and request.client_id != "public"

    def authenticate_client_id(self, client_id, request, *args, **kwargs):
        return self.is_open or client_id == "public"

    def authenticate_client(self, request, *args, **kwargs):
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            known = TOKENS.get(rest, {})
            request.client = Client(known.get("client_id"))
            return "introspect" in known.get("scopes", ()) and known["exp"] > time.time()
        if scheme != "Basic":
            return False
        client_id, _, secret = (unquote_plus(part) for part in base64.b64decode(rest).decode().partition(":"))
        request.client = Client(client_id)
        return client_id in SECRETS and SECRETS[client_id] == secret

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs):
        return grant_type == "client_credentials" and client.client_id == "maker"

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        return ["read"]

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        return True

    def save_bearer_token(self, token, request, *args, **kwargs):
        TOKENS[token["access_token"]] = {"client_id": request.client.client_id, "scopes": request.scopes, "exp": int(time.time()) + token["expires_in"]}

    def introspect_token(self, token, token_type_hint, request, *args, **kwargs):
        known = TOKENS.get(token)
        if known is None or known["exp"] <= time.time():
            return None
        return {"scope": " ".join(known["scopes"]), "client_id": known["client_id"], "username": "ann@example.com", "token_type": "Bearer", "exp": known["exp"], "sub": "ann",
                "aud": ["https://api.example.com/", "other"], "iss": "https://id.example.com/"}

    def revoke_token(self, token, token_type_hint, request, *args, **kwargs):
        TOKENS.pop(token, None)


class Open(Validator):
    is_open = True


SERVER = BackendApplicationServer(Validator())
INTROSPECT, REVOKE, OPEN = IntrospectEndpoint(Validator()), RevocationEndpoint(Validator()), IntrospectEndpoint(Open())


class Issuer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with LOCK, open(sys.argv[5], "a", encoding="utf-8") as log:
            log.write(json.dumps({"path": self.path, "body": body, "type": self.headers.get("Content-Type"), "authorization": self.headers.get("Authorization")}) + "\n")
        headers, said, status = self.answer(body)
        said = (said or "").encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(said))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def answer(self, body):
        uri, headers = f"https://{self.headers['Host']}{self.path}", dict(self.headers)
        if self.headers.get("Content-Type") != FORM:
            return {}, "this is no form", 415
        if self.path == "/oauth2/token":
            return SERVER.create_token_response(uri, "POST", body, headers)
        if self.path == "/oauth2/revoke":
            return REVOKE.create_revocation_response(uri, "POST", body, headers)
        if self.path in ("/oauth2/introspect", "/a%20b/c%2Fd,%2A"):
            return INTROSPECT.create_introspect_response(uri, "POST", body, headers)
        if self.path == "/open/introspect":
            return OPEN.create_introspect_response(uri, "POST", body, headers)
        return {}, json.dumps({"error": "not found"}), 404

    def do_GET(self):
        self.send_error(405)

    def log_message(self, *ignored):
        pass


LOCK = threading.Lock()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[4])), Issuer)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
