#!/usr/bin/env python3
"""`ambit secret check`: imitations of issuers in the world say what a token may do, and lie; what is told is held against grants.

usage: secret_check.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import base64
import http.server
import json
import os
import re
import ssl
import subprocess
import urllib.parse
import urllib.request

from harness import Skip, main, need, told, write
from network import HOSTS, PUBLIC, both_users
from http_rules import TOKEN, authority

NAMES = ["api.github.com", "gitlab.com", "registry.npmjs.org", "slack.com", "git.example.com", "id.example.com", "nobody.example.com"]
ASKED = []  # (host, method, path, token)
BODIES = []  # beside them
GITHUB = {"X-OAuth-Scopes": "gist, repo", "github-authentication-token-expiration": "2026-12-31 00:00:00 UTC"}
ANSWERS = {}  # of a host: (status, fields, body)


class Issuer(http.server.BaseHTTPRequestHandler):
    """Answers as the scenario says."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        host = self.headers["Host"]
        ASKED.append((host, self.command, self.path, self.headers.get("Authorization", "")))
        BODIES.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        status, fields, body = ANSWERS[host]
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        out = [f"HTTP/1.1 {status} Said".encode()]
        out += [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in fields.items()]
        if "Transfer-Encoding" in fields:
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:7], body[7:])) + b"0\r\n\r\n"
        else:
            out.append(b"Content-Length: %d" % len(body))
        try:
            self.wfile.write(b"\r\n".join(out) + b"\r\n\r\n" + body)
        except OSError:
            pass  # it has read enough
        self.close_connection = True

    do_GET = do_POST = answer

    def log_message(self, *ignored):
        pass


def issuers(network):
    """In the world; with a certificate of the authority that the person's programs believe."""
    need("openssl")
    top = authority(network)
    write(f"{network.top}/hosts", HOSTS + f"{PUBLIC} {' '.join(NAMES)}\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9", "-CA", "ca.pem", "-CAkey", "ca.key",
                    "-out", "issuers.pem", "-keyout", "issuers.key", "-subj", "/CN=issuers", "-addext", "basicConstraints=critical,CA:false",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES[:-1])], cwd=top, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{top}/issuers.pem", f"{top}/issuers.key")

    class Secure(Issuer):
        def setup(self):
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()
    server = network.serve(Secure, 443, PUBLIC)
    server.handle_error = lambda *ignored: None


def ready(network, uid, **secrets):
    """Each bound to these hosts; ASKED is empty then."""
    if network.is_new:
        issuers(network)
    ASKED.clear()
    BODIES.clear()
    for name, hosts in secrets.items():
        words = [w for host in hosts for w in ("--host", host)]
        path = f"{network.home(uid)}/value"
        write(path, TOKEN)
        os.chown(path, uid, uid)
        result = network.ambit(uid, "secret", "set", name, *words, "--from", path)
        assert result.returncode == 0, told(result)


def check(network, uid, *words):
    """Gives what it says, whole."""
    result = network.ambit(uid, "secret", "check", *words, before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
    assert TOKEN not in result.stdout + result.stderr, told(result)
    return result


def found(network, uid, *words, status):
    result = check(network, uid, *words, "--json")
    assert result.returncode == status, told(result)
    return json.loads(result.stdout)


@both_users
def a_narrow_token_gives_no_warning(network, who, uid):
    ready(network, uid, hub=["api.github.com"])
    ANSWERS["api.github.com"] = (200, GITHUB, {"login": "me"})
    wide = ["--connect", "api.github.com:443 http='GET /repos/**, POST /repos/*/*/pulls, * /gists/**' secret=hub"]
    result = check(network, uid, "hub", *wide)
    assert (result.returncode, result.stdout) == (0, "hub: valid, says GitHub (https://api.github.com/user)\nscopes: gist, repo\nexpires: 2026-12-31 00:00:00 UTC\n"), \
        f"{who}: {told(result)}"
    assert ASKED == [("api.github.com", "GET", "/user", f"Bearer {TOKEN}")], ASKED


@both_users
def a_wide_token_is_warned_of(network, who, uid):
    ready(network, uid, hub=["api.github.com"])
    ANSWERS["api.github.com"] = (200, {"X-OAuth-Scopes": "gist, repo, read:org, delete_repo, admin:enterprise, new_one"}, {})
    said = found(network, uid, "hub", "--connect", "api.github.com:443 http='GET /repos/**, GET /orgs/*' secret=hub",
                 "--connect", "gitlab.com:443 http='* /**' secret=other", status=1)
    assert [(w["code"], w["scope"]) for w in said["warnings"]] == [("no-expiry", None), ("unused", "gist"), ("writes", "repo"), ("writes", "delete_repo"),
                                                                  ("unused", "admin:enterprise")], f"{who}: {said}"
    assert said["valid"] and said["expires"] is None and "not all of its scopes" in said["note"], said
    policy = f"{network.home(uid)}/policy.yaml"
    write(policy, "version: 1\ngrants:\n  - connect: api.github.com:443\n    http: [\"DELETE /repos/me/*\", \"POST /gists\"]\n    secret: hub\n")
    os.chown(policy, uid, uid)
    said = found(network, uid, "hub", "--policy", policy, status=1)
    assert [w["scope"] for w in said["warnings"]] == [None, "read:org", "admin:enterprise"], said
    said = found(network, uid, "hub", "--connect", "api.github.com:443 secret=another", status=1)
    assert "no-grant" in [w["code"] for w in said["warnings"]], said


@both_users
def each_issuer_is_asked_in_its_way(network, who, uid):
    ready(network, uid, lab=["gitlab.com"], pm=["registry.npmjs.org"], chat=["slack.com"], own=["git.example.com"], fine=["api.github.com"], anywhere=[])
    gitlab = {"scopes": ["read_api", "api"], "expires_at": "2026-12-31", "revoked": False, "active": True}
    ANSWERS.update({"gitlab.com": (200, {}, gitlab), "registry.npmjs.org": (200, {}, {"username": "me"}), "api.github.com": (200, {}, {}),
                    "slack.com": (200, {"X-OAuth-Scopes": "chat:write,users:read"}, {"ok": True}), "git.example.com": (200, {"Transfer-Encoding": "chunked"}, gitlab)})
    said = found(network, uid, "lab", "--connect", "gitlab.com:443 http='GET /api/v4/projects' secret=lab", status=1)
    assert [(w["code"], w["scope"]) for w in said["warnings"]] == [("writes", "api")] and said["expires"] == "2026-12-31", f"{who}: {said}"
    said = found(network, uid, "pm", status=0)
    assert said["scopes"] is None and said["valid"] and "does not tell" in said["note"], said
    assert found(network, uid, "chat", status=0)["scopes"] == ["chat:write", "users:read"]
    assert found(network, uid, "own", "--issuer", "gitlab", status=0)["scopes"] == ["read_api", "api"]
    ANSWERS["git.example.com"] = (200, GITHUB, {})
    assert found(network, uid, "own", "--issuer", "github:git.example.com", status=0)["scopes"] == ["gist", "repo"]
    said = found(network, uid, "fine", status=1)
    assert said["scopes"] is None and "fine-grained" in said["note"], said
    said = found(network, uid, "anywhere", "--connect", "slack.com:443 secret=anywhere", status=0)
    assert said["issuer"] == "slack", said
    assert [a[:3] for a in ASKED] == [("gitlab.com", "GET", "/api/v4/personal_access_tokens/self"), ("registry.npmjs.org", "GET", "/-/whoami"),
                                      ("slack.com", "POST", "/api/auth.test"), ("git.example.com", "GET", "/api/v4/personal_access_tokens/self"),
                                      ("git.example.com", "GET", "/api/v3/user"), ("api.github.com", "GET", "/user"), ("slack.com", "POST", "/api/auth.test")], ASKED
    assert {a[3] for a in ASKED} == {f"Bearer {TOKEN}"}, ASKED


@both_users
def a_revoked_token_is_told(network, who, uid):
    ready(network, uid, hub=["api.github.com"], lab=["gitlab.com"], chat=["slack.com"])
    rows = [("hub", "api.github.com", (401, {}, {"message": "Bad credentials"})), ("lab", "gitlab.com", (200, {}, {"scopes": [], "revoked": True})),
            ("chat", "slack.com", (200, {}, {"ok": False, "error": "token_revoked"}))]
    for name, host, answer in rows:
        ANSWERS[host] = answer
        said = found(network, uid, name, status=1)
        assert not said["valid"] and [w["code"] for w in said["warnings"]] == ["refused"], f"{who}, {name}: {said}"


@both_users
def hostile_answers_move_nothing(network, who, uid):
    ready(network, uid, hub=["api.github.com"], lab=["gitlab.com"])
    escape = b"repo, \xc2\x9b31mred, \xe2\x80\xae, gi<st, gist"
    ANSWERS["api.github.com"] = (200, {"X-OAuth-Scopes": escape, "github-authentication-token-expiration": b"\xc2\x9b2J"}, {})
    said = found(network, uid, "hub", status=1)
    assert said["scopes"] == ["repo", "gist"] and said["expires"] is None and [w["code"] for w in said["warnings"]] == ["no-expiry", "left-out"], f"{who}: {said}"
    ANSWERS["gitlab.com"] = (200, {}, {"scopes": ["api x", "\x1b[2J", "a" * 200, 7, "api"] + [f"s{i}" for i in range(100)], "expires_at": "\x1b[31m"})
    said = found(network, uid, "lab", status=1)
    assert said["scopes"] == ["api"] + [f"s{i}" for i in range(63)] and said["expires"] is None, said
    rows = [("hub", "api.github.com", (200, {"X-OAuth-Scopes": "a" * (1 << 20)}, {}), "GONE|PROTOCOL"), ("hub", "api.github.com", (200, {"X-OAuth-Scopes": b"re\0po"}, {}), "PROTOCOL"),
            ("hub", "api.github.com", (302, {"Location": "https://gitlab.com/"}, {}), "PROTOCOL"), ("lab", "gitlab.com", (200, {}, b'{"scopes": ["api"]' + b" " * (1 << 20) + b"}"), "PROTOCOL"),
            ("lab", "gitlab.com", (200, {}, b'{"scopes": ["read_user"], "scopes": ["api"]}'), "PROTOCOL"), ("lab", "gitlab.com", (200, {}, b"[" * 5000), "PROTOCOL"),
            ("lab", "gitlab.com", (200, {}, {"scopes": ["api\0x"]}), "PROTOCOL"), ("hub", "api.github.com", (403, {}, {}), "PROTOCOL"), ("lab", "gitlab.com", (200, {}, []), "PROTOCOL")]
    for name, host, answer, code in rows:
        ANSWERS[host] = answer
        ASKED.clear()
        said = found(network, uid, name, status=125)
        assert said["error"]["code"] in code.split("|"), f"{who}, {answer[:2]}: {said}"
        assert len(ASKED) == 1, ASKED


@both_users
def without_an_answer_it_is_refused(network, who, uid):
    ready(network, uid, hub=["api.github.com"], lost=["nobody.example.com"], anywhere=[], other=["git.example.com"])
    ANSWERS["api.github.com"] = (200, GITHUB, {})
    rows = [(["lost", "--issuer", "gitlab"], ["PROTOCOL"]), (["hub", "--issuer", "github:127.0.0.1:9"], ["DENIED"]), (["anywhere"], ["USAGE"]),
            (["other", "--issuer", "npm:registry.npmjs.org"], ["DENIED"]), (["none"], ["NOT_FOUND"]), (["hub", "--issuer", "bitbucket"], ["USAGE"]), ([], ["USAGE"]),
            (["hub", "--issuer", "github:*.example.com"], ["USAGE"]), (["anywhere", "--issuer", "gitlab:git.example.com:444"], ["GONE"])]
    for words, codes in rows:
        said = found(network, uid, *words, status=125)
        assert said["error"]["code"] in codes, f"{who}, {words}: {said}"
    assert ASKED == [], ASKED
    assert found(network, uid, "hub", status=0)["valid"]


# ---- introspection ----

ENDPOINT = "https://id.example.com/oauth2/introspect"


def oauth_server(network):
    """What Debian's python3-oauthlib answers, in the world, at a port of its own. Gives a call of it: (path, form, authorization) to JSON."""
    if subprocess.run(["/usr/bin/python3", "-c", "import oauthlib"], capture_output=True, check=False).returncode != 0:
        raise Skip("python3-oauthlib is not installed")
    top, port = authority(network), 8443
    if not hasattr(network, "oauth"):
        network.log = f"{network.top}/oauth"
        with network.world():
            network.oauth = subprocess.Popen(["/usr/bin/python3", "-B", os.path.join(os.path.dirname(__file__), "oauth_issuer.py"), f"{top}/issuers.pem", f"{top}/issuers.key", PUBLIC,
                                              str(port), network.log], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # ends with this process
        assert network.oauth.stdout.readline() == b"ready\n"

    def call(path, form, authorization):
        body = urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(f"https://id.example.com:{port}{path}", body, {"Authorization": authorization})
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=f"{top}/ca.pem")) as answer:
            return json.loads(answer.read() or b"null")
    return call


def basic(client, secret):
    return "Basic " + base64.b64encode(f"{urllib.parse.quote_plus(client)}:{urllib.parse.quote_plus(secret)}".encode()).decode()


def keep(network, uid, name, value, *hosts):
    path = f"{network.home(uid)}/value"
    write(path, value)
    os.chown(path, uid, uid)
    result = network.ambit(uid, "secret", "set", name, *(w for host in hosts for w in ("--host", host)), "--from", path)
    assert result.returncode == 0, told(result)


@both_users
def a_real_server_is_asked(network, who, uid):
    """Tokens that it issued, for clients that it knows: active, and when revoked no longer. Who may not ask is told so, and nothing else."""
    ready(network, uid)
    call = oauth_server(network)
    before = os.path.getsize(network.log) if os.path.exists(network.log) else 0
    at, maker = "https://id.example.com:8443", basic("maker", "maker-secret")

    def issue(scope):
        return call("/oauth2/token", {"grant_type": "client_credentials", "scope": scope}, maker)["access_token"]
    token, asking = issue("orders:read orders:write https://api.example.com/all"), issue("introspect")
    keep(network, uid, "orders", token, "api.example.com", "id.example.com")
    keep(network, uid, "asking", asking)
    keep(network, uid, "checker", urllib.parse.quote_plus("ch&cker+s3cret/~"), "id.example.com")
    keep(network, uid, "other", "another+s3cret")
    keep(network, uid, "wrong", "no-secret-of-it")

    def introspected(*words, status=0, path="/oauth2/introspect"):
        result = check(network, uid, "orders", "--introspect", at + path, *words, "--json")
        assert result.returncode == status and not any(s in result.stdout + result.stderr for s in (token, asking)), f"{who}, {words}: {told(result)}"
        return json.loads(result.stdout)
    result = check(network, uid, "orders", "--introspect", f"{at}/oauth2/introspect", "--client", "checker:checker", "--connect", "api.example.com:443 http='GET /orders' secret=orders")
    assert result.returncode == 0 and token not in result.stdout, f"{who}: {told(result)}"
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"orders: valid, says its issuer ({at}/oauth2/introspect)", "scopes: orders:read, orders:write, https://api.example.com/all"], f"{who}: {lines}"
    assert re.fullmatch(r"expires: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[2]) and lines[3:9] == [
        "client: maker", "user: ann@example.com", "subject: ann", "issued by: https://id.example.com/", "type: Bearer", "audience: https://api.example.com/, other"], f"{who}: {lines}"
    assert lines[9] == "not judged: orders:read, orders:write, https://api.example.com/all" and lines[10].startswith("note: what scopes of this issuer allow is not known here"), f"{who}: {lines}"
    for words, path in ((["--client", "checker:checker"], "/oauth2/introspect"), (["--bearer", "asking"], "/oauth2/introspect"), (["--client", "public"], "/oauth2/introspect"),
                        (["--client", "urn%3Athe-checker:other"], "/oauth2/introspect"), ([], "/open/introspect"), (["--client", "checker:checker"], "/a%20b/c%2Fd,%2A")):
        said = introspected(*words, path=path)
        assert said["valid"] and said["issuer"] == "oauth" and said["asked"] == at + path and said["scopes"] == ["orders:read", "orders:write", "https://api.example.com/all"], f"{who}: {said}"
        assert (said["client_id"], said["username"], said["sub"], said["iss"], said["aud"], said["token_type"]) == (
            "maker", "ann@example.com", "ann", "https://id.example.com/", ["https://api.example.com/", "other"], "Bearer"), said
        assert said["not_judged"] == [] and "against no grants" in said["note"], said
    for words in ([], ["--client", "checker:wrong"], ["--bearer", "wrong"], ["--bearer", "orders"], ["--client", "nobody"]):
        said = introspected(*words, status=125)
        assert said["error"]["code"] == "DENIED" and "does not let who asks: HTTP 401" in said["error"]["message"], f"{who}, {words}: {said}"
    call("/oauth2/revoke", {"token": token}, maker)
    said = introspected("--client", "checker:checker", status=1)
    assert not said["valid"] and said["scopes"] is None and [w["code"] for w in said["warnings"]] == ["inactive"] and said["client_id"] is None, f"{who}: {said}"
    result = check(network, uid, "orders", "--introspect", f"{at}/oauth2/introspect", "--client", "checker:checker")
    assert result.returncode == 1 and result.stdout.startswith("orders: inactive, says its issuer"), told(result)
    with open(network.log, encoding="utf-8") as file:
        file.seek(before)
        asked = [a for a in map(json.loads, file) if "introspect" in a["path"] or "%20" in a["path"]]
    bodies = {f"token={token}"} | {f"client_id={name}&token={token}" for name in ("public", "nobody")}
    assert len(asked) == 14 and {a["body"] for a in asked} == bodies and {a["type"] for a in asked} == {"application/x-www-form-urlencoded"}, f"{who}: {asked}"
    assert {a["authorization"] for a in asked} == {None, basic("checker", "ch&cker+s3cret/~"), f"Bearer {asking}", basic("urn:the-checker", "another s3cret"), f"Bearer {token}", "Bearer no-secret-of-it",
                                                   "Basic " + base64.b64encode(b"checker:no-secret-of-it").decode()}, f"{who}: {asked}"


@both_users
def hostile_introspection_moves_nothing(network, who, uid):
    """What is large, deep, cut, of another type, or leads elsewhere; and the token told back, whatever it stands in, and as a scope."""
    ready(network, uid, own=["id.example.com"], asking=["id.example.com"])
    on, words = {"active": True}, ["own", "--introspect", ENDPOINT]
    rows = [(200, {}, b'{"active": true, "scope": "' + b"a " * (1 << 19) + b'"}'), (200, {}, b'{"active": true' + b" " * (1 << 20) + b"}"), (200, {}, b"[" * 5000), (200, {}, b'{"active":' * 3000),
            (200, {}, b'{"active": true, "active": false}'), (200, {}, b'{"active": true'), (200, {}, b'{"active": "true"}'), (200, {}, b'{"active": 1}'), (200, {}, {}), (200, {}, []), (200, {}, b""),
            (200, {}, b'{"active": true, "scope": "a\\u0000b"}'), (200, {}, b'\xff\xfe{"active": true}'), (200, {"Transfer-Encoding": "chunked"}, b'{"active": tru'),
            (302, {"Location": "https://gitlab.com/"}, on), (307, {"Location": ENDPOINT + "2"}, on), (500, {}, on), (404, {}, {"active": False}), (400, {}, {"error": "invalid_request"}),
            (200, {"X-A": "a" * (1 << 20)}, on), (200, {"X-A": b"a\0b"}, on)]
    for answer in rows:
        ANSWERS["id.example.com"] = answer
        ASKED.clear()
        said = found(network, uid, *words, status=125)
        assert said["error"]["code"] in ("PROTOCOL", "GONE"), f"{who}, {str(answer)[:80]}: {said}"
        assert len(ASKED) == 1 and ASKED[0][:3] == ("id.example.com", "POST", "/oauth2/introspect"), ASKED
    for status, body in ((401, {}), (403, {}), (400, {"error": "invalid_client"})):
        ANSWERS["id.example.com"] = (status, {}, body)
        assert found(network, uid, *words, "--bearer", "asking", status=125)["error"]["code"] == "DENIED", who
    hostile = {**on, "scope": ["a", 7, "x y", "\x1b[2J", "\u202e"] + [f"s{i}" for i in range(100)], "exp": "soon", "client_id": "\x1b[31m", "username": "a" * 1000, "sub": 7,
               "iss": {"a": []}, "token_type": " ", "aud": [f"{i}" for i in range(100)]}
    ANSWERS["id.example.com"] = (200, {}, hostile)
    said = found(network, uid, *words, status=1)
    assert said["scopes"] == ["a"] + [f"s{i}" for i in range(63)] and said["aud"] == list("01234567") and said["expires"] is None, f"{who}: {said}"
    assert [said[k] for k in ("client_id", "username", "sub", "iss", "token_type")] == [None] * 5 and [w["code"] for w in said["warnings"]] == ["no-expiry", "left-out"], f"{who}: {said}"
    result = check(network, uid, *words)
    assert not re.search("[^\n -~]", result.stdout), told(result)
    # It is told back: check() looks for it in all that is said.
    ANSWERS["id.example.com"] = (200, {"X-OAuth-Scopes": TOKEN}, {**on, "exp": 4000000000, "scope": f"read {TOKEN}", "client_id": TOKEN, "username": f"me {TOKEN}", "sub": base64.b64encode(f"me:{TOKEN}".encode()).decode(),
                                                                  "iss": f"https://id/?token={urllib.parse.quote(TOKEN)}", "aud": [TOKEN]})
    said = found(network, uid, *words, "--client", "me:asking", status=0)
    stars = "*" * len(TOKEN)
    assert (said["client_id"], said["username"], said["iss"], said["aud"]) == (stars, f"me {stars}", f"https://id/?token={stars}", [stars]) and set(said["sub"]) <= set("*="), f"{who}: {said}"
    assert said["scopes"] == ["read", stars] and BODIES[-1] == f"token={TOKEN}", f"{who}: {said}"


@both_users
def scopes_of_an_introspection_are_held_against_grants(network, who, uid):
    """Of an issuer whose scopes are known: by its host, or as it is said."""
    ready(network, uid, lab=["gitlab.com"], own=["id.example.com"])
    ANSWERS["gitlab.com"] = ANSWERS["id.example.com"] = (200, {}, {"active": True, "scope": "read_api api sudo openid", "exp": 4000000000})
    grants = ["--connect", "gitlab.com:443 http='GET /api/v4/projects' secret=lab", "--connect", "id.example.com:443 http='GET /api/v4/projects' secret='other, own as query:k'"]
    for words in (["lab", "--introspect", "https://gitlab.com/oauth/introspect"], ["own", "--introspect", ENDPOINT, "--issuer", "gitlab"]):
        said = found(network, uid, *words, *grants, status=1)
        assert [(w["code"], w["scope"]) for w in said["warnings"]] == [("writes", "api"), ("unused", "sudo")] and said["not_judged"] == ["openid"], f"{who}: {said}"
        assert said["expires"] == "2096-10-02T07:06:40Z" and "not all of its scopes" in said["note"], said
    said = found(network, uid, "own", "--introspect", ENDPOINT, *grants, status=0)
    assert said["not_judged"] == said["scopes"] == ["read_api", "api", "sudo", "openid"] and "not known here" in said["note"], said
    said = found(network, uid, "own", "--introspect", ENDPOINT, "--connect", "id.example.com:443 secret=other", status=1)
    assert [w["code"] for w in said["warnings"]] == ["no-grant"], said


@both_users
def what_cannot_be_introspected_is_refused(network, who, uid):
    ready(network, uid, own=["id.example.com"], api=["api.example.com"])
    ANSWERS["id.example.com"] = (200, {}, {"active": True, "exp": 4000000000})
    at = ["own", "--introspect"]
    rows = [([*at, url], "USAGE") for url in ("http://id.example.com/x", "id.example.com/x", "https://id.example.com", "https:///x", "https://*.example.com/x", "https://me@id.example.com/x",
                                              "https://id.example.com:0/x", "https://id.example.com/x?a=b", "https://id.example.com/x#a", "https://id.example.com/../x", "https://id.example.com/a b",
                                              "https://id.example.com/%zz", "https://id.example.com/\x1b[2J", "https://id.example.com/" + "a" * 300, "ftp://id.example.com/x", "")]
    rows += [([*at, ENDPOINT, *more], "USAGE") for more in (["--client", ""], ["--client", ":x"], ["--client", "a b"], ["--client", "a%"], ["--client", "a%zz"], ["--client", "a%4"], *(["--client", f"{client}:own"] for client in ("a'b", "a b", "a,b", "a, own as query:k", "\u00e9", "x' uses=9 http='* /**")), ["--client", "me:own", "--bearer", "own"], ["--client", "a" * 64],
                                                             ["--client", "me", "--client", "you"], ["--issuer", "gitlab:id.example.com"], ["--issuer", "oauth"])]
    rows += [(["own", "--issuer", "gitlab", "--client", "me:own"], "USAGE"), (["own", "--issuer", "gitlab", "--bearer", "own"], "USAGE"), ([*at, ENDPOINT, "--client", "me:../x"], "MALFORMED|USAGE"),
             ([*at, ENDPOINT, "--bearer", ""], "MALFORMED|USAGE"), ([*at, ENDPOINT, "--client", "me:none"], "NOT_FOUND"), ([*at, ENDPOINT, "--bearer", "api"], "DENIED"),
             (["api", "--introspect", ENDPOINT], "DENIED"), ([*at, "https://nobody.example.com/x"], "DENIED"), ([*at, "https://id.example.com:444/x"], "GONE")]
    for words, codes in rows:
        said = found(network, uid, *words, status=125)
        assert said["error"]["code"] in codes.split("|") and (said["error"]["hint"] or "GONE" in codes), f"{who}, {words}: {said}"
    assert ASKED == [], ASKED
    assert found(network, uid, *at, ENDPOINT, "--client", "me:own", status=0)["valid"] and len(ASKED) == 1


SCENARIOS = [a_narrow_token_gives_no_warning, a_wide_token_is_warned_of, each_issuer_is_asked_in_its_way, a_revoked_token_is_told, hostile_answers_move_nothing,
             without_an_answer_it_is_refused, a_real_server_is_asked, hostile_introspection_moves_nothing,
             scopes_of_an_introspection_are_held_against_grants, what_cannot_be_introspected_is_refused]

if __name__ == "__main__":
    main(SCENARIOS)
