#!/usr/bin/env python3
"""`ambit secret check`: imitations of issuers in the world say what a token may do, and lie; what is told is held against grants.

usage: secret_check.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import http.server
import json
import os
import ssl
import subprocess

from harness import main, need, told, write
from network import HOSTS, PUBLIC, both_users
from http_rules import TOKEN, authority

NAMES = ["api.github.com", "gitlab.com", "registry.npmjs.org", "slack.com", "git.example.com", "nobody.example.com"]
ASKED = []  # (host, method, path, token)
GITHUB = {"X-OAuth-Scopes": "gist, repo", "github-authentication-token-expiration": "2026-12-31 00:00:00 UTC"}
ANSWERS = {}  # of a host: (status, fields, body)


class Issuer(http.server.BaseHTTPRequestHandler):
    """Answers as the scenario says."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        host = self.headers["Host"]
        ASKED.append((host, self.command, self.path, self.headers.get("Authorization", "")))
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


SCENARIOS = [a_narrow_token_gives_no_warning, a_wide_token_is_warned_of, each_issuer_is_asked_in_its_way, a_revoked_token_is_told, hostile_answers_move_nothing,
             without_an_answer_it_is_refused]

if __name__ == "__main__":
    main(SCENARIOS)
