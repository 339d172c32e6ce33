#!/usr/bin/env python3
"""`ambit secret login`: a token of OAuth for a server of the Model Context Protocol, from one who gives them, honestly and not; where it goes, and how it is renewed.

usage: remote_login.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse

from harness import PATIENCE, SLOW, Terminal, main, told
from http_rules import authority
from network import both_users
from remote import ASKED, HELLO, SCRIPT, URL, Far, ordinary, serve, until

GIVER = "https://a.open.test"
META = {"issuer": GIVER, "authorization_endpoint": f"{GIVER}/authorize?x=1", "token_endpoint": f"{GIVER}/token", "registration_endpoint": f"{GIVER}/register", "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["plain", "S256"], "authorization_response_iss_parameter_supported": True}
RESOURCE = {"resource": URL, "authorization_servers": [GIVER], "scopes_supported": ["mcp:read", "mcp:write"]}
CHALLENGE = 'Bearer realm="x, y", error="invalid_token", resource_metadata="https://open.test/.well-known/oauth-protected-resource/mcp"'


class Giver:
    """One server and who gives tokens for it. What a scenario changes of it is hostile."""

    def __init__(self, lasts=3600, **changes):
        self.access, self.refresh, self.codes, self.lasts, self.n = "none", "none", {}, lasts, 0
        self.given, self.refused = [], 0  # every token and code; what was asked for in vain
        self.resource, self.meta, self.challenge = changes.get("resource", RESOURCE), changes.get("meta", META), changes.get("challenge", CHALLENGE)
        self.changes = changes

    def token(self, what):
        self.n += 1
        self.given.append(f"{what}-{self.n}-{os.urandom(12).hex()}")
        return self.given[-1]

    def __call__(self, said):
        if said.fields["host"] == "open.test":
            if said.path.startswith("/.well-known/oauth-protected-resource"):
                return said.plain(200, json.dumps(self.resource).encode()) if said.path == self.changes.get("place", "/.well-known/oauth-protected-resource/mcp") else said.plain(404)
            if said.fields.get("authorization") != f"Bearer {self.access}":
                return said.plain(401, b"{}", WWW_Authenticate=self.challenge)
            return ordinary(said)
        if said.method == "GET":
            return said.plain(200, json.dumps(self.meta).encode()) if said.path == self.changes.get("at", "/.well-known/oauth-authorization-server") else said.plain(404)
        if said.path == "/register":
            return said.plain(201, json.dumps({"client_id": "c-1", **self.changes.get("registered", {})}).encode())
        return self.give(said, {k: v[0] for k, v in urllib.parse.parse_qs(said.body.decode()).items()})

    def give(self, said, form):
        assert said.path == "/token", said.path
        client = self.codes.get(form.get("code"), {})
        good = form["client_id"] == "c-1" and form["resource"] == URL and "client_secret" not in form
        if form["grant_type"] == "authorization_code":
            digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            good = good and client.get("code_challenge") == digest and client["redirect_uri"] == form["redirect_uri"]
        else:
            good = good and form["grant_type"] == "refresh_token" and form["refresh_token"] == self.refresh
        if not good or self.changes.get("refuses"):
            self.refused += 1
            return said.plain(400, b'{"error":"invalid_grant","error_description":"no\\u001b[2J"}')
        self.access, self.refresh = self.token("access"), self.token("refresh") if self.changes.get("rotates", True) or self.refresh == "none" else self.refresh
        return said.plain(200, json.dumps({"access_token": self.access, "token_type": "Bearer", "expires_in": self.lasts, "refresh_token": self.refresh, "scope": "mcp:read", **self.changes.get("gives", {})}).encode())

    def code_for(self, address):
        """What the person's browser is sent back to."""
        at = urllib.parse.urlsplit(address)
        asked = {k: v[0] for k, v in urllib.parse.parse_qs(at.query).items()}
        code = self.token("code")
        self.codes[code] = asked
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": asked["state"], "iss": GIVER, **self.changes.get("back", {})})


WHO = {"uid": 0}  # whose browser it is


def visit(url, uid=None):
    uid = WHO["uid"] if uid is None else uid
    words = ["curl", "-gsS", "-o", "/dev/null", "-w", "%{http_code}", "-m", str(PATIENCE * SLOW), url]
    return int(subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *words], capture_output=True, text=True, check=False).stdout or 0)


def login(far, giver, *words, url=URL, browse=None):
    """Gives the status, what was printed, and the address that was shown."""
    SCRIPT["answer"] = giver
    who = [] if far.uid == 0 else ["setpriv", f"--reuid={far.uid}", f"--regid={far.uid}", "--clear-groups"]
    env = {**far.network.place.environment(), "HOME": far.home, "SSL_CERT_FILE": f"{authority(far.network)}/ca.pem"}
    with subprocess.Popen([*who, far.ambit, "secret", "login", "mine", url, *words], env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines, address = [], []

        def hear():
            for line in process.stderr:
                lines.append(line)
                if line.startswith("  https://") and "response_type" in line and not address:
                    address.append(line.strip())
                    (browse or (lambda at: visit(giver.code_for(at))))(line.strip())
        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        out = process.stdout.read()
        process.wait(timeout=PATIENCE * SLOW)
        thread.join(PATIENCE)
    text = out + "".join(lines)
    assert not any(token in text for token in giver.given), f"it was told: {text}"
    assert "\x1b" not in text, text
    return process.returncode, text, (address or [None])[0]


def fresh(network, uid):
    far = Far(network, uid, token=False)
    network.ambit(uid, "secret", "remove", "mine")
    far.token = ("--secret", "mine")
    WHO["uid"] = uid
    return far


def nowhere(far, giver):
    """None of it stands in a file of the person's, in plain."""
    for top, _, names in os.walk(far.home):
        for path in (os.path.join(top, name) for name in names):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    text = file.read()
                assert not any(token.encode() in text for token in giver.given), path


@both_users
def a_token_is_given_and_used(network, who, uid):
    far, giver = fresh(network, uid), Giver()
    status, said, address = login(far, giver)
    assert status == 0 and "logged in: mine, for open.test, until " in said and "asked of a.open.test" in said, f"{who}: {said}"
    asked = {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(address).query).items()}
    assert address.startswith(f"{GIVER}/authorize?x=1&response_type=code&") and asked["code_challenge_method"] == "S256" and asked["scope"] == "mcp:read mcp:write" and asked["resource"] == URL, address
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", asked["redirect_uri"]) and len(asked["state"]) == 43 and len(asked["code_challenge"]) == 43, address
    assert [(s.fields["host"], s.method, s.path) for s in ASKED] == [("open.test", "POST", "/mcp"), ("open.test", "GET", "/.well-known/oauth-protected-resource/mcp"), ("a.open.test", "GET", "/.well-known/oauth-authorization-server"),
                                                                     ("a.open.test", "POST", "/register"), ("a.open.test", "POST", "/token")], [(s.fields["host"], s.path) for s in ASKED]
    assert ASKED[3].json["token_endpoint_auth_method"] == "none" and ASKED[3].json["redirect_uris"] == [asked["redirect_uri"]], ASKED[3].json
    rows = json.loads(network.ambit(uid, "secret", "list", "--json").stdout)["secrets"]
    row = next(r for r in rows if r["name"] == "mine")
    assert row["kind"] == "login" and row["hosts"] == ["open.test"] and row["expires"], row
    with far.guard() as client:
        assert client.begin()["result"] == HELLO and client.call("echo", text="x")["result"], who
        client.end()
    assert [s.path for s in ASKED if s.fields["host"] == "a.open.test"][-1] == "/token" and len(giver.given) == 3, giver.given  # nothing was renewed
    nowhere(far, giver)


@both_users
def it_is_renewed_before_it_expires(network, who, uid):
    """At the start, and while the server is used; a server that gives no new one to renew with keeps the old."""
    for rotates in (True, False):
        far, giver = fresh(network, uid), Giver(lasts=4, rotates=rotates)
        status, said, _ = login(far, giver)
        assert status == 0, f"{who}: {said}"
        first = giver.access
        time.sleep(2.5)
        with far.guard() as client:
            assert client.begin()["result"] == HELLO and giver.access != first, who
            second = giver.access
            until(lambda: giver.access != second)
            until(lambda: "result" in client.call("echo", text="x"), 5)
            assert giver.access != second, who
            client.end()
        nowhere(far, giver)
        assert {s.fields["host"] for s in ASKED if any(t in s.body.decode() for t in giver.given)} == {"a.open.test"}, who  # what renews it went nowhere else


@both_users
def two_at_once_renew_it_once(network, who, uid):
    """What renews it is good once: who comes second has what the first was given."""
    far, giver = fresh(network, uid), Giver(lasts=4)
    status, said, _ = login(far, giver)
    assert status == 0, f"{who}: {said}"
    with far.guard() as one, far.guard() as other:
        assert one.begin()["result"] == other.begin()["result"] == HELLO, who
        first = giver.access
        until(lambda: giver.access != first)
        second = giver.access
        until(lambda: giver.access != second)
        for client in (one, other):
            assert "result" in client.call("echo", text="x"), f"{who}: {one.err} {other.err}"
    assert giver.refused == 0, f"{who}: {giver.refused}"


@both_users
def who_gives_tokens_for_no_time_is_not_asked_for_ever(network, who, uid):
    far, giver = fresh(network, uid), Giver(lasts=1)
    status, said, _ = login(far, giver)
    assert status == 0, f"{who}: {said}"
    with far.guard() as client:
        assert client.begin()["result"] == HELLO, who
        before, begun = len(giver.given), time.monotonic()
        time.sleep(9)
        renewed = (len(giver.given) - before) / 2
        assert 1 <= renewed <= (time.monotonic() - begun) / 2 + 1, f"{who}: {renewed}"
        assert "result" in client.call("echo", text="x"), who
        client.end()


@both_users
def a_renewal_outlives_who_used_it(network, who, uid):
    """What renews it is good once: what was given in its place is kept, though the gate and all of its group are told to end just then."""
    far, giver = fresh(network, uid), Giver(lasts=4)
    status, said, _ = login(far, giver)
    assert status == 0, f"{who}: {said}"
    asked, goes = threading.Event(), threading.Event()

    def give(said, form):
        asked.set()
        goes.wait(PATIENCE)
        return Giver.give(giver, said, form)
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, lambda *_: None)
    with far.guard() as client:
        assert client.begin()["result"] == HELLO, who
        giver.give = give
        assert asked.wait(PATIENCE), who
        os.killpg(0, signal.SIGINT)  # as a terminal does
        time.sleep(1)
        goes.set()
        until(lambda: len(giver.given) >= 5)
    del giver.give
    with far.guard() as client:
        assert client.begin()["result"] == HELLO and "result" in client.call("echo", text="x"), f"{who}: {client.err}"
        client.end()
    assert giver.refused == 0, who


@both_users
def another_login_of_its_name_outlasts_a_renewal(network, who, uid):
    """Which was begun before it, and has its tokens after it: they would go where the other's go."""
    far, slow = fresh(network, uid), Giver(lasts=4)
    status, said, _ = login(far, slow)
    assert status == 0, f"{who}: {said}"
    asked, goes = threading.Event(), threading.Event()

    def give(said, form):
        asked.set()
        goes.wait(PATIENCE)
        return Giver.give(slow, said, form)
    with far.guard() as client:
        assert client.begin()["result"] == HELLO, who
        slow.give = give
        assert asked.wait(PATIENCE), who
        timer, other = threading.Timer(4, goes.set), Giver()
        timer.start()
        status, said, _ = login(far, other)
        assert status == 0 and goes.wait(PATIENCE), f"{who}: {said}"
        until(lambda: len(slow.given) >= 5)
        time.sleep(1)
        client.end()
    with far.guard() as client:
        assert client.begin()["result"] == HELLO and "result" in client.call("echo", text="x"), f"{who}: {client.err}"
        client.end()
    assert {s.fields["authorization"] for s in ASKED if s.what == "tools/call"} == {f"Bearer {other.access}"}, who


@both_users
def what_is_no_good_giver_gets_no_code(network, who, uid):
    evil = "https://six.test"
    rows = [
        ("another's metadata", Giver(challenge=f'Bearer resource_metadata="{evil}/meta"'), "another host speaks for it"),
        ("another resource", Giver(resource={**RESOURCE, "resource": f"{evil}/mcp"}), "that it is another"),
        ("a resource below", Giver(resource={**RESOURCE, "resource": f"{URL}/deeper"}), "that it is another"),
        ("a resource beside", Giver(resource={**RESOURCE, "resource": "https://open.test/mc"}), "that it is another"),
        ("another issuer", Giver(meta={**META, "issuer": evil}), "that it is another"),
        ("no S256", Giver(meta={**META, "code_challenge_methods_supported": ["plain"]}), "cannot be bound|can be bound"),
        ("nothing of codes", Giver(meta={k: v for k, v in META.items() if not k.startswith("code_")}), "can be bound"),
        ("an issuer on this machine", Giver(resource={**RESOURCE, "authorization_servers": ["http://127.0.0.1:8080"]}), "without TLS"),
        ("an issuer at an address", Giver(resource={**RESOURCE, "authorization_servers": ["https://10.1.2.3"]}), "which is no name"),
        ("a registration at an address", Giver(meta={**META, "registration_endpoint": "https://127.0.0.1/x"}), "which is no name"),
        ("tokens on this machine", Giver(meta={**META, "token_endpoint": "http://127.0.0.1:1/token"}), "without TLS"),
        ("plain token endpoint", Giver(meta={**META, "token_endpoint": "http://a.open.test/token"}), "without TLS"),
        ("plain authorization", Giver(meta={**META, "authorization_endpoint": "http://a.open.test/authorize"}), "without TLS"),
        ("a script", Giver(meta={**META, "authorization_endpoint": "javascript:alert(1)"}), "does not begin with https"),
        ("no metadata", Giver(at="/nowhere"), "does not say how it gives tokens"),
        ("no registration", Giver(meta={k: v for k, v in META.items() if not k.startswith("registration")}), "registers no clients"),
        ("a client with a secret", Giver(registered={"client_secret": "s"}), "gives a secret to each client"),
        ("no json", Giver(meta=["x"]), "does not say how"), ("no metadata where it says", Giver(place="/nowhere"), "refused the request"), ("none that are some", Giver(resource=["x"]), "not understood"),
        ("control characters", Giver(meta={**META, "token_endpoint": "https://a.open.test/\x1b[2J"}), "does not say how"),
        ("an address that is none", Giver(resource={**RESOURCE, "authorization_servers": ["a.open.test"]}), "who gives tokens"),
    ]
    far = fresh(network, uid)
    for name, giver, text in rows:
        status, said, address = login(far, giver, browse=lambda at: None)
        assert status == 125 and any(word in said for word in text.split("|")), f"{who}, {name}: {said}"
        assert address is None and not any(s.path == "/token" for s in ASKED), f"{who}, {name}: {said}"
    SCRIPT["answer"] = ordinary
    status, said, _ = login(far, Giver(), url="http://127.0.0.1:1/mcp")
    assert status == 125 and "under TLS only" in said, f"{who}: {said}"


@both_users
def what_comes_back_is_what_was_asked(network, who, uid):
    far = fresh(network, uid)

    def odd(address, giver):
        """Whoever knocks there, before the answer."""
        good = giver.code_for(address)
        at = good.split("?")[0]
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(good).query)["state"][0]
        for bad in (at, f"{at}?code=evil&state=wrong", f"{at}?state={state}", f"{at}/x?code=evil&state={state}", f"{at}?code=evil&code=evil2&state={state}", f"{at}?code=%zz&state={state}", at.replace("callback", "favicon.ico")):
            assert visit(bad) == 404, bad
        for _ in range(70):  # any page can have that asked, as often as it likes
            assert visit(f"{at}?code=evil&state=wrong") == 404
        code = good.replace("code=code-", "code=evil-")
        assert visit(code, 1 if uid == 0 else 0) in (0, 404), "another user's browser, with the state"
        assert visit(good) == 200
    giver = Giver()
    status, said, _ = login(far, giver, browse=lambda address: odd(address, giver))
    assert status == 0, f"{who}: {said}"
    assert "evil" not in "".join(s.body.decode() for s in ASKED if s.path == "/token"), who
    for name, changes, text in (("another issuer", {"back": {"iss": "https://six.test"}}, "not by https://a.open.test"), ("no issuer", {"back": {"iss": ""}}, "not by https://a.open.test"),
                                ("refused", {"refuses": True}, "no token was given"), ("no type", {"gives": {"token_type": "mac"}}, "not understood"), ("blanks", {"gives": {"access_token": "a b"}}, "not understood"),
                                ("too long", {"gives": {"access_token": "a" * 5000}}, "not understood"), ("a number", {"gives": {"access_token": 7}}, "not understood")):
        network.ambit(uid, "secret", "remove", "mine")
        status, said, _ = login(far, Giver(**changes))
        assert status == 125 and text in said, f"{who}, {name}: {said}"
        assert "mine" not in network.ambit(uid, "secret", "list").stdout, f"{who}, {name}"

    def denied(address):
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
        visit(state["redirect_uri"][0] + "?" + urllib.parse.urlencode({"error": "access_denied", "error_description": "not\x1b you", "state": state["state"][0], "iss": GIVER}))
    status, said, _ = login(far, Giver(), browse=denied)
    assert status == 125 and "access_denied" in said, f"{who}: {said}"


@both_users
def where_the_browser_is_elsewhere_its_address_is_given(network, who, uid):
    far, giver = fresh(network, uid), Giver()
    SCRIPT["answer"] = giver
    env = {**network.place.environment(), "HOME": far.home, "SSL_CERT_FILE": f"{authority(network)}/ca.pem"}
    words = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    with Terminal([*words, far.ambit, "secret", "login", "mine", URL], "/", env, columns=2000) as terminal:
        address = terminal.until(r"(https://a\.open\.test/authorize\S+).*cannot open then").group(1).decode()
        terminal.type("nonsense\n")
        terminal.type(giver.code_for(address).replace("state=", "state=x") + "\n")
        terminal.type(giver.code_for(address) + "\n")
        terminal.until("logged in: mine")
        assert terminal.end() == 0, who


@both_users
def other_ways_to_find_who_gives(network, who, uid):
    rows = [
        ("no challenge says where", Giver(challenge="Bearer"), ()),
        ("at the root", Giver(challenge="Bearer", place="/.well-known/oauth-protected-resource", resource={**RESOURCE, "resource": "https://open.test/"}), ()),
        ("openid", Giver(at="/.well-known/openid-configuration"), ()),
        ("a scope that is wanted", Giver(challenge=CHALLENGE + ', scope="mcp:only"'), ()),
        ("a client that was registered before", Giver(meta={k: v for k, v in META.items() if not k.startswith("registration")}), ("--client", "c-1")),
        ("a scope that is named", Giver(), ("--scope", "mcp:mine")),
    ]
    far = fresh(network, uid)
    for name, giver, words in rows:
        giver.give = lambda said, form, giver=giver: Giver.give(giver, said, {**form, "resource": URL})
        status, said, address = login(far, giver, *words)
        assert status == 0, f"{who}, {name}: {said}"
        scope = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)["scope"][0]
        assert scope == {"a scope that is wanted": "mcp:only", "a scope that is named": "mcp:mine"}.get(name, "mcp:read mcp:write"), f"{name}: {scope}"


@both_users
def what_renews_it_is_for_who_renews_it(network, who, uid):
    """A grant can name it, as any secret; no other host gets it, and its own host gets it by that name alone."""
    far, giver = fresh(network, uid), Giver()
    status, said, _ = login(far, giver)
    assert status == 0, said
    for grant in ("open.test:443 http='GET /x' secret='mine.refresh'", "six.test:443 http='GET /x' secret='mine.refresh'", "a.open.test:443 http='GET /x' secret='mine'"):
        result = network.ambit(uid, "run", "--connect", grant, "--", "true", before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
        assert result.returncode == 125 and "is not for" in result.stderr, f"{who}, {grant}: {told(result)}"
    result = network.ambit(uid, "run", "--connect", "a.open.test:443 http='GET /x' secret='mine.refresh'", "--", "true", before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
    assert result.returncode == 0, told(result)
    for words in (("mine",), ("mine", "http://open.test/"), ("a b", URL), ("mine", URL, "--port", "0"), ("mine", URL, "--client", ""), ("mine", URL, "--client", "a'b:far"), ("mine", URL, "--what"), ("mine", URL, "more"), ("a" * 60, URL)):
        result = network.ambit(uid, "secret", "login", *words)
        assert result.returncode == 125 and "hint:" in result.stderr, f"{who}, {words}: {told(result)}"


SCENARIOS = [a_token_is_given_and_used, it_is_renewed_before_it_expires, two_at_once_renew_it_once, who_gives_tokens_for_no_time_is_not_asked_for_ever, a_renewal_outlives_who_used_it, another_login_of_its_name_outlasts_a_renewal, what_is_no_good_giver_gets_no_code, what_comes_back_is_what_was_asked, where_the_browser_is_elsewhere_its_address_is_given, other_ways_to_find_who_gives, what_renews_it_is_for_who_renews_it]

if __name__ == "__main__":
    main(SCENARIOS)
