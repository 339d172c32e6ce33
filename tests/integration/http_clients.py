#!/usr/bin/env python3
"""Programs as people have them through grants with rules and a secret: http_clients.py AMBIT (TAP on standard output).

Each is called as it would be called without Ambit, with nothing in its cell that a server would believe. Servers want the credential that is
outside, and say nothing to anybody else. Making a network needs root, whose scenarios run ambit as root and as another."""

import base64
import hashlib
import json
import os
import re
import subprocess

from clients import HTTP2_SERVER, NO_NAME, Git, Index, Row, Site, failing, quoted, reach, run_rows, tarball
from harness import Skip, main, need, told, write
from http_rules import ASKED, TOKEN, Provider, authority, serve
from network import PATIENCE, PUBLIC, both_users
from programs import make_wheel

BASIC = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
BEARER = f"Bearer {TOKEN}"
LAIN = "ghp_" + "0123456789" * 3 + "abcdef"  # what lay about: a token by its form


class Guarded:
    """Answers those whose field Authorization is the one that it knows."""
    known = BEARER

    def do_GET(self):
        if self.headers.get("Authorization") == self.known:
            ASKED.append((self.command, self.path))
            super().do_GET()
            return
        self.close_connection = True
        self.send_response(401)
        self.send_header("WWW-Authenticate", f'{self.known.split()[0]} realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        if self.headers.get("Authorization") == self.known:
            super().do_POST()
        else:
            Guarded.do_GET(self)


def ready(network, uid, handler=None, port=443):
    """The server is there, the person trusts the world's authority and has the secret `token`, whose value is TOKEN."""
    network.place.settings["SSL_CERT_FILE"] = f"{authority(network)}/ca.pem"
    if network.is_new and handler is not None:
        serve(network, port, handler=handler)
    ASKED.clear()
    kept = network.ambit(uid, "secret", "set", "token", before=("sh", "-c", f"printf %s {TOKEN} | exec \"$@\"", "sh"))
    assert kept.returncode == 0, told(kept)


def own_directory(network, uid, name):
    path = f"{network.top}/{name}-{uid}"
    os.makedirs(path)
    os.chown(path, uid, uid)
    return path


def connect(*grants):
    return [word for grant in grants for word in ("--connect", grant)]


# ---- git ----


class GuardedGit(Guarded, Git):
    known = BASIC

    def do_POST(self):
        """Git's own goes on with do_GET."""
        self.do_GET()


FETCHING = "GET /project.git/info/refs, POST /project.git/git-upload-pack"


@both_users
def git_clones_and_pushes(network, who, uid):
    need("git", "openssl")
    project = f"{network.top}/git/project.git"
    if network.is_new:
        script = f"git init -q --bare -b main {project}; git -C {project} config http.receivepack true; git clone -q {project} first; cd first; " \
                 "head -c 3M /dev/urandom >data; git add data; git -c user.name=a -c user.email=a@b commit -qm one; git push -q origin HEAD:main"
        done = subprocess.run(["sh", "-ec", script], cwd=network.top, capture_output=True, text=True, check=False)
        assert done.returncode == 0, told(done)
        Git.root = f"{network.top}/git"
    ready(network, uid, GuardedGit)
    at = own_directory(network, uid, "work")
    change = "head -c 2M /dev/urandom >more && git add more && git -c user.name=b -c user.email=b@b commit -qm two"
    clone = Row("clone", f"git clone -q https://open.test/project.git {at}/a && cd {at}/a && git log --format=%s", "one", NO_NAME)
    push = Row("push", f"cd {at}/a && {change} && git push -q origin HEAD:of-{uid} && git fetch -q && git log --format=%s origin/of-{uid}", "two\none", NO_NAME)
    words = ("--work", at, "--direct")
    secret = "secret='token as basic:x-access-token'"
    reach(network, who, [clone, push], *words, grants=[f"open.test:443 http='{FETCHING}, POST /project.git/git-receive-pack' {secret}"])
    done = subprocess.run(["git", "-c", "safe.directory=*", "log", "--format=%s", f"of-{uid}"], cwd=project, capture_output=True, text=True, check=False)
    assert done.stdout == "two\none\n", told(done)
    # who may fetch may not push, nor fetch another
    refused = r"(?s)fatal: remote error: POST /project.git/git-{}-pack is not granted\nhint: added to the http rules of the grant .*: POST"
    again = Row("push", f"cd {at}/a && git push origin HEAD:not-{uid}", "", refused.format("receive"))
    more = "head -c 12M /dev/urandom >large && git add large && git -c user.name=b -c user.email=b@b commit -qm three"
    large = Row("large push", f"cd {at}/a && {more} && git push origin HEAD:not-{uid}", "", refused.format("receive"))
    other = Row("clone of another", f"git clone https://open.test/other.git {at}/b", "", "(?s)remote: .*GET /other.git/info/refs is not granted.*remote: .*this one allows it: GET .*403")
    found, _ = run_rows(network, uid, [again, large, other], *words, *connect(f"open.test:443 http='{FETCHING}' {secret}"))
    failing([again, large, other], found, None, f"without its rule ({who})")
    fetch = Row("clone", f"git clone https://open.test/project.git {at}/d", "", refused.format("upload"))
    found, _ = run_rows(network, uid, [fetch], *words, *connect(f"open.test:443 http='GET /project.git/info/refs' {secret}"))
    failing([fetch], found, None, f"without its rule ({who})")
    # and without the secret the server wants one
    found, _ = run_rows(network, uid, [clone._replace(command=f"GIT_TERMINAL_PROMPT=0 git clone https://open.test/project.git {at}/c")], *words,
                        *connect(f"open.test:443 http='{FETCHING}'"))
    failing([clone], found, "could not read Username", f"without the secret ({who})")
    refs = subprocess.run(["git", "-c", "safe.directory=*", "branch", "--format=%(refname:short)"], cwd=project, capture_output=True, text=True, check=True).stdout
    assert f"of-{uid}" in refs and f"not-{uid}" not in refs, refs


# ---- indexes ----


class GuardedIndex(Guarded, Index):
    """Besides those of all a package of a scope, whose name npm asks for with an encoded slash."""
    scoped = tarball()

    def do_GET(self):
        super().do_GET() if self.headers.get("Authorization") != self.known or "@acme" not in self.path else self.of_scope()

    def of_scope(self):
        ASKED.append((self.command, self.path))
        about = {"name": "@acme/x", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {"name": "@acme/x", "version": "1.0.0", "dist": {
            "tarball": "https://open.test/npm/@acme/x/-/x-1.0.0.tgz", "shasum": hashlib.sha1(self.scoped).hexdigest()}}}}
        known = {"/npm/@acme%2fx": (json.dumps(about), "application/json"), "/npm/@acme/x/-/x-1.0.0.tgz": (self.scoped, "application/gzip")}
        if self.path in known:
            self.answer(*known[self.path])
        else:
            self.answer("none such", status=404)


class BasicIndex(GuardedIndex):
    known = BASIC


@both_users
def npm_installs_from_a_private_index(network, who, uid):
    need("npm", "openssl")
    Index.wheel = make_wheel(network.top)
    ready(network, uid, GuardedIndex)
    at = own_directory(network, uid, "work")
    install = f"cd {at} && npm install --fetch-retries 0 --no-audit --no-fund --registry https://open.test/npm/ "
    rows = [Row("npm", install + "greeter @acme/x && node -p \"require('greeter') + ' ' + require('@acme/x')\"", "greetings greetings", NO_NAME)]
    words = ("--work", at, "--direct", "--run", "node")
    reach(network, who, rows, *words, grants=["open.test:443 http='GET /npm/greeter/**, GET /npm/@acme%2fx, GET /npm/@acme/x/-/*' secret=token"])
    assert ("GET", "/npm/@acme%2fx") in ASKED, ASKED
    # an encoded slash is none
    rows = [Row("npm, scoped", f"rm -rf {at}/*; {install} @acme/x", "", "E403")]
    failing(rows, run_rows(network, uid, rows, *words, *connect("open.test:443 http='GET /npm/@acme/x/**, GET /npm/*' secret=token"))[0], None, who)


@both_users
def pip_installs_from_a_private_index(network, who, uid):
    need("openssl")
    if subprocess.run(["/usr/bin/python3", "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        raise Skip("pip is not installed")
    Index.wheel = make_wheel(network.top)
    ready(network, uid, BasicIndex)
    at = own_directory(network, uid, "work")
    install = f"cd {at} && /usr/bin/python3 -m pip install --no-input --retries 0 --no-compile --index-url https://open.test/simple/ --target site greeter"
    rows = [Row("pip", f"{install} && cd site && /usr/bin/python3 -c 'import greeter; greeter.main()'", "greetings from a wheel", NO_NAME)]
    words = ("--work", at, "--direct")
    secret = "secret='token as basic:x-access-token'"
    reach(network, who, rows, *words, grants=[f"open.test:443 http='GET /simple/greeter/, GET /files/*.whl' {secret}"])
    rows = [Row("pip", f"rm -rf {at}/*; {install}", "", "403 Client Error|403 error|No matching distribution")]
    failing(rows, run_rows(network, uid, rows, *words, *connect(f"open.test:443 http='GET /simple/other' {secret}"))[0], None, who)


# ---- curl ----


class Api(Provider):
    """A service that knows people by BEARER: what its paths say is below."""
    disable_nagle_algorithm = True
    known = BEARER
    TEXT = bytes(range(48, 58)) * 1000

    def say(self, asked):
        if self.headers.get("Authorization") != self.known:
            self.plain(401, b'{"message": "who are you?"}')
            return
        path = re.sub(r"^/api/(v3)?", "/", self.path.split("?")[0]).replace("//", "/")
        getattr(self, "at_" + re.sub(r"\W+", "_", path.strip("/")), super().say)(asked)

    def at_file(self, _):
        """As much of it as is asked for."""
        first = int(re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "bytes=0-")).group(1))
        span = {"Content-Range": f"bytes {first}-{len(self.TEXT) - 1}/{len(self.TEXT)}"} if first else {}
        self.plain(206 if first else 200, self.TEXT[first:], Accept_Ranges="bytes", **span)

    def at_moved(self, _):
        self.plain(302, b"", Location="/repos/acme/x")

    def at_moved_away(self, _):
        self.plain(302, b"", Location="https://both.test/kept")

    def at_repos_acme_x(self, _):
        self.plain(200, json.dumps({"id": 1, "name": "x", "full_name": "acme/x", "default_branch": "trunk", "private": True,
                                    "url": "https://open.test/api/v3/repos/acme/x"}).encode())

    def at_repos_acme_x_issues(self, asked):
        self.plain(201, json.dumps({"id": 2, "number": 7, "title": json.loads(asked["body"])["title"]}).encode())

    def at_graphql(self, asked):
        document = json.loads(asked["body"])["query"]
        self.plain(200, json.dumps({"data": {"viewer": {"login": "ann"}} if "viewer" in document else {"deleteRef": {"done": True}}}).encode())

    def at_v1_chat_completions(self, asked):
        """In pieces, as it is thought out."""
        body = json.loads(asked["body"])
        about = {"id": "c1", "created": 1, "model": body["model"], "object": "chat.completion.chunk"}
        if not body.get("stream"):
            whole = {**about, "object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "one two three"}}]}
            self.plain(200, json.dumps(whole).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in ("one ", "two ", "three", None):
            choice = {"index": 0, "delta": {"content": word} if word else {}, "finish_reason": None if word else "stop"}
            self.chunk(f"data: {json.dumps({**about, 'choices': [choice]})}\n\n".encode())
        self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


@both_users
def curl_in_all_its_ways(network, who, uid):
    need("curl", "openssl")
    ready(network, uid, Api)
    at = own_directory(network, uid, "work")
    sum_of = hashlib.sha256(Api.TEXT).hexdigest()
    curl = "curl -sS -m 15 "
    url = "https://open.test"
    rows = [Row("head", f"{curl} -I {url}/repos/acme/x", "200 OK", ""), Row("data", f"{curl} -d a=1 {url}/echo", '"body": "a=1"', ""),
            Row("data as JSON", f"{curl} --json '{{\"a\": 1}}' {url}/echo", '"content-type": "application/json"', ""),
            Row("upload", f"head -c 300000 /dev/zero >{at}/up; {curl} -T {at}/up {url}/echo", '"length": 300000', ""),
            Row("upload of what has no end yet", f"head -c 300000 /dev/zero | {curl} -T - {url}/echo", '"length": 300000', ""),
            Row("expect", f"head -c 300000 /dev/zero | {curl} -X POST -H 'Expect: 100-continue' --data-binary @- {url}/echo", '"length": 300000', ""),
            Row("form", f"{curl} -F a=1 -F file=@{at}/up {url}/echo", '"method": "POST"', ""),
            Row("http1.1", f"{curl} --http1.1 -w '%{{http_version}}' {url}/repos/acme/x", "}1.1", ""),
            Row("http2 where the host has none", f"{curl} --http2 -w '%{{http_version}}' {url}/repos/acme/x", "}1.1", ""),
            Row("http1.0", f"{curl} --http1.0 {url}/repos/acme/x", "trunk", ""),
            Row("compressed", f"{curl} --compressed {url}/repos/acme/x", "trunk", ""),
            Row("events", f"{curl} -N --json '{{\"model\": \"m\", \"stream\": true}}' {url}/v1/chat/completions", "data: [DONE]", ""),
            Row("resumed", f"cd {at}; {curl} {url}/file -o file; truncate -s 1234 file; {curl} -C - -o file {url}/file && sha256sum file", sum_of, ""),
            Row("redirected", f"{curl} -L {url}/moved", "trunk", ""),
            Row("redirected to another host", f"{curl} -L {url}/moved/away", "who are you?", ""),
            Row("many of one connection", f"{curl} -w '%{{num_connects}}\\n' {url}/repos/acme/[a-x] | grep -c '}}0'", "23", ""),
            Row("with the placeholder", f"{curl} -H 'Authorization: Bearer ambit:token' {url}/repos/acme/x", "trunk", ""),
            Row("a password of its own", f"{curl} -u ann:hunter2 {url}/repos/acme/x", "is a credential that is not the grant", "")]
    reach(network, who, rows, "--work", at, "--direct", grants=["open.test:443 http='* /**' secret=token", "both.test:443 http='GET /kept'"])
    sent = [a["headers"].get("authorization") for a in ASKED]
    assert sent.count(None) == 1 and set(sent) == {None, BEARER}, sent
    assert next(a for a in ASKED if a["path"] == "/kept")["headers"]["host"] == "both.test", ASKED


@both_users
def clients_of_http_2(network, who, uid):
    need("curl", "node", "openssl")
    ready(network, uid)
    with network.world():
        server = subprocess.Popen(["node", "-e", HTTP2_SERVER, *(f"{authority(network)}/good.{end}" for end in ("pem", "key"))], stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "listens\n"
    node = """
const session = require('http2').connect('https://open.test:8443');
session.on('error', e => { console.log(e); process.exit(1) });
let left = 100;
for (let i = 0; i < 100; i++)
  session.request({ ':path': '/a/' + i }).on('response', h => { if (h[':status'] != 200) console.log(h) }).on('data', () => {})
    .on('end', () => { if (--left == 0) { console.log('100 streams'); session.close(); } });"""
    rows = [Row("curl", "curl -sS -m 15 --http2 -w '%{http_version}' https://open.test:8443/a/x", "from the host\n2", ""),
            Row("curl, http1.1", "curl -sS -m 15 --http1.1 -w ' %{http_code}' https://open.test:8443/a/x", " 502", ""),
            Row("curl, refused", "curl -sS -m 15 -w '%{http_version} %{http_code}' https://open.test:8443/b", "2 403", ""),
            Row("node", f"node -e {quoted(node)}", "100 streams", "")]
    try:
        reach(network, who, rows, "--run", "node", grants=["open.test:8443 http='GET /a/*' secret=token"])
    finally:
        server.kill()
        server.wait()


# ---- libraries of services ----

PYTHON_GITHUB = """
import os
from github import Github, GithubException
g = Github(login_or_token=os.environ["GITHUB_TOKEN"], base_url="https://open.test/api/v3", retry=None)
r = g.get_repo("acme/x")
print(r.default_branch, r.create_issue("it leaks").number)
try:
    r.delete()
except GithubException as e:
    print(e.status, e.data["message"])
"""
PYTHON_EVENTS = """
import httpx, json, os, sys
whole = ""
client = httpx.Client(base_url="https://open.test/v1", headers={"Authorization": "Bearer " + os.environ["API_KEY"]})
with client.stream("POST", "/chat/completions", json={"model": "m", "stream": True}) as r:
    for line in r.iter_lines():
        if line.startswith("data: {"):
            whole += json.loads(line[6:])["choices"][0]["delta"].get("content", "")
print(whole, client.get("/models").status_code)
"""
PYTHON_PLAIN = """
import http.client, json, os
import requests
key = {"Authorization": "Bearer " + os.environ["API_KEY"]}
c = http.client.HTTPSConnection("open.test")
c.request("GET", "/repos/acme/x", headers=key)
print(json.load(c.getresponse())["default_branch"])
c.request("POST", "/v1/chat/completions", json.dumps({"model": "m"}), key)
print(json.load(c.getresponse())["choices"][0]["message"]["content"])
with requests.Session() as s:
    s.headers.update(key)
    print(sum(line != b"" for line in s.post("https://open.test/v1/chat/completions", json={"model": "m", "stream": True}, stream=True).iter_lines()))
"""
NODE_PLAIN = """
const headers = { Authorization: 'Bearer ' + process.env.API_KEY, 'Content-Type': 'application/json' };
(async () => {
  const r = await fetch('https://open.test/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify({ model: 'm', stream: true }) });
  let text = '';
  for await (const piece of r.body.pipeThrough(new TextDecoderStream())) text += piece;
  console.log(text.split('\\n\\n').length);
  const no = await fetch('https://open.test/v1/models', { headers });
  console.log(no.status, (await no.json()).error.code);
})().catch(e => { console.log(e); process.exit(1) })"""
NODE_OCTOKIT = """
import { Octokit } from '@octokit/rest';
const quiet = () => {}, log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const o = new Octokit({ auth: process.env.GITHUB_TOKEN, baseUrl: 'https://open.test/api/v3', log });
const r = await o.rest.repos.get({ owner: 'acme', repo: 'x' });
const i = await o.rest.issues.create({ owner: 'acme', repo: 'x', title: 'it leaks' });
console.log(r.data.default_branch, i.data.number);
await o.rest.repos.delete({ owner: 'acme', repo: 'x' }).catch(e => console.log(e.status, e.response.data.error.message));
console.log((await o.graphql('query { viewer { login } }')).viewer.login);
await o.graphql('mutation { deleteRef(input: {refId: "r"}) { clientMutationId } }').catch(e => console.log(e.response.data.error.message));
"""
NODE_OPENAI = """
import OpenAI from 'openai';
const c = new OpenAI({ apiKey: process.env.API_KEY, baseURL: 'https://open.test/v1', maxRetries: 0 });
const whole = await c.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
let text = whole.choices[0].message.content + ', ';
for await (const piece of await c.chat.completions.create({ model: 'm', messages: [], stream: true }))
  text += piece.choices[0].delta.content ?? '';
console.log(text);
await c.models.list().catch(e => console.log(e.status, e.message));
"""
SERVICE = "open.test:443 http='GET /repos/**, GET /api/v3/**, POST /api/v3/repos/*/*/issues, POST /v1/chat/completions, GRAPHQL /graphql, GRAPHQL /api/graphql, GRAPHQL /api/v3/graphql' " \
          "graphql='query viewer' secret=token"
PLACEHOLDERS = [word for name in ("API_KEY", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN") for word in ("--env", f"{name}=ambit:token")]


def has_module(name):
    return subprocess.run(["/usr/bin/python3", "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


@both_users
def what_speaks_to_services_by_itself(network, who, uid):
    """As their libraries do: a key out of the environment, events that stream."""
    need("node", "openssl")
    if not has_module("requests"):
        raise Skip("python3-requests is not installed")
    ready(network, uid, Api)
    rows = [Row("python", f"/usr/bin/python3 -c {quoted(PYTHON_PLAIN)}", "trunk\none two three\n5\n", ""),
            Row("node", f"node -e {quoted(NODE_PLAIN)}", "6\n403 DENIED\n", "")]
    reach(network, who, rows, "--run", "node", *PLACEHOLDERS, grants=[SERVICE])


@both_users
def libraries_of_services_in_python(network, who, uid):
    """PyGithub and httpx, as Debian has them."""
    need("openssl")
    for name, package in (("github", "python3-github"), ("httpx", "python3-httpx")):
        if not has_module(name):
            raise Skip(f"{package} is not installed")
    ready(network, uid, Api)
    rows = [Row("github", f"/usr/bin/python3 -c {quoted(PYTHON_GITHUB)}", "trunk 7\n403 DELETE /api/v3/repos/acme/x is not granted", ""),
            Row("httpx", f"/usr/bin/python3 -c {quoted(PYTHON_EVENTS)}", "one two three 403\n", "")]
    reach(network, who, rows, *PLACEHOLDERS, grants=[SERVICE])


def fetched(top):
    """Packages of npm, where its registry can be reached."""
    done = subprocess.run(["npm", "install", "--prefix", ".", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "@octokit/rest@22.0.1", "openai@6.9.1"],
                          cwd=top, env={**os.environ, "npm_config_cache": f"{top}/.npm"}, capture_output=True, timeout=PATIENCE * 4, check=False)
    if done.returncode != 0:
        raise Skip("npm cannot fetch @octokit/rest and openai (no network?)")


def libraries_of_services_in_node(place):
    """Octokit and OpenAI's, from npm."""
    need("node", "npm", "openssl")
    top = place.fresh()
    os.chmod(top, 0o755)
    if os.geteuid() == 0:
        fetched(top)  # the network is there until we have our own

    def scenario(network, who, uid):
        ready(network, uid, Api)
        write(f"{top}/octokit.mjs", NODE_OCTOKIT)
        write(f"{top}/openai.mjs", NODE_OPENAI)
        said = "trunk 7\n403 DELETE /api/v3/repos/acme/x is not granted\nann\nmutation deleteRef is not granted\n"
        rows = [Row("octokit", f"node {top}/octokit.mjs", said, ""),
                Row("openai", f"node {top}/openai.mjs", "one two three, one two three\n403 ", "")]
        reach(network, who, rows, "--run", "node", "--read", top, *PLACEHOLDERS, grants=[SERVICE])
    both_users(scenario)(place)


libraries_of_services_in_node.either = libraries_of_services_in_node.rooted = True


@both_users
def github_by_its_command(network, who, uid):
    """gh, which has GraphQL's rules as well."""
    need("gh", "openssl")
    ready(network, uid, Api)
    gh = "gh api --hostname open.test "
    rows = [Row("repository", f"{gh} repos/acme/x --jq .default_branch", "trunk\n", ""), Row("issue", f"{gh} repos/acme/x/issues -f title=leak --jq .number", "7\n", ""),
            Row("query", f"{gh} graphql -f query='query {{ viewer {{ login }} }}' --jq .data.viewer.login", "ann\n", "")]
    reach(network, who, rows, *PLACEHOLDERS, grants=[SERVICE])
    assert {a["headers"]["authorization"] for a in ASKED} == {BEARER}, ASKED
    ASKED.clear()
    rows = [Row("a mutation", f"{gh} graphql -f query='mutation {{ deleteRef(input: {{refId: \"r\"}}) {{ clientMutationId }} }}'", "", "mutation deleteRef is not granted"),
            Row("behind a query", f"{gh} graphql -f query='query a {{ viewer {{ login }} }} mutation b {{ x: deleteRef(input: {{}}) {{ y }} }}' -f operationName=a", "",
                "mutation deleteRef is not granted"),
            Row("deletion", f"{gh} -X DELETE repos/acme/x", "", "DELETE /api/v3/repos/acme/x is not granted")]
    failing(rows, run_rows(network, uid, rows, *PLACEHOLDERS, *connect(SERVICE))[0], None, who)
    assert ASKED == [], ASKED


# ---- gRPC ----

# Of messages as they are: no description of them is needed. Says who called what, and whom it saw leave.
GRPC_SERVER = r"""
import concurrent.futures, json, sys, threading
import grpc
cert, key, address, log, known = sys.argv[1:]
left = threading.Event()
def note(**what):
    with open(log, "a") as file:
        file.write(json.dumps(what) + "\n")
def serves(behavior):
    def served(asked, context):
        metadata = {k: v for k, v in context.invocation_metadata() if isinstance(v, str)}
        note(method=behavior.__name__, metadata=metadata, remaining=context.time_remaining())
        if metadata.get("authorization") != known:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
        return behavior(asked, context)
    return served
def Unary(asked, context):
    context.send_initial_metadata([("x-first", "1")])
    context.set_trailing_metadata([("x-last", "a b"), ("x-last-bin", b"\0\1\xff")])
    return asked[::-1]
def Down(asked, context):
    for i in range(int(asked)):
        yield b"%d " % i * 2000
def Up(asked, context):
    return b"%d" % sum(len(message) for message in asked)
def Both(asked, context):
    for message in asked:
        yield message.upper()
def Fails(asked, context):
    context.set_trailing_metadata([("x-why", "none")])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "100% of \u00e4\nis gone")
def Tells(asked, context):
    shown = dict(context.invocation_metadata())["authorization"]
    context.set_trailing_metadata([("x-shown", shown)])
    context.abort(grpc.StatusCode.INTERNAL, "I was told " + shown)
def Enough(asked, context):
    next(asked)
    yield b"one"
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough")
def Waits(asked, context):
    gone = threading.Event()
    if not context.add_callback(gone.set) or gone.wait(60):  # it has left already, or does
        note(method="left")
    return b""
def Leaves(asked, context):
    left.set()
    return b"soon"
def Drop(asked, context):
    return b"dropped"
one, many = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
methods = {f.__name__: how(serves(f)) for how, f in ((one, Unary), (grpc.unary_stream_rpc_method_handler, Down), (grpc.stream_unary_rpc_method_handler, Up), (many, Both),
                                                      (one, Fails), (one, Tells), (many, Enough), (one, Waits), (one, Leaves), (one, Drop))}
server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("pkg.Service", methods)])
texts = [open(path, "rb").read() for path in (key, cert)]
assert server.add_secure_port(f"{address}:8443", grpc.ssl_server_credentials([texts])) == 8443
server.start()
print("listens", flush=True)
left.wait()
server.stop(30).wait()
note(method="stopped")
"""
GRPC_CLIENT = r"""
import json, queue, sys
import grpc
said = {}
def ends(name, call):
    try:
        said[name] = ["OK", call()]
    except grpc.RpcError as e:
        said[name] = [e.code().name, e.details()]
        return e
def plain(metadata):
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in metadata if k.startswith("x-")}
def channel(**more):
    return grpc.secure_channel("open.test:8443", grpc.ssl_channel_credentials(), **more)
every = {"timeout": float(sys.argv[2])}
with channel() as c:
    one = lambda name, body=b"": c.unary_unary("/pkg.Service/" + name)(body, **every).decode()
    body, call = c.unary_unary("/pkg.Service/Unary").with_call(b"abc", metadata=[("x-asked", "yes"), ("authorization", "Bearer ambit:token")], **every)
    said["unary"] = [body.decode(), call.code().name, plain(call.initial_metadata()), plain(call.trailing_metadata())]
    said["large"] = len(c.unary_unary("/pkg.Service/Unary")(bytes(3 << 20), **every))
    said["down"] = sum(map(len, c.unary_stream("/pkg.Service/Down")(b"300", **every)))
    said["up"] = c.stream_unary("/pkg.Service/Up")((bytes(10000) for _ in range(300)), **every).decode()
    asked = queue.Queue()
    both = c.stream_stream("/pkg.Service/Both")(iter(asked.get, None), **every)
    for i in range(300):  # each waits for the last one's answer
        asked.put(b"message %d" % i)
        assert next(both) == b"MESSAGE %d" % i, i
    asked.put(None)
    said["both"] = [len(list(both)), both.code().name]
    said["trailers"] = plain(ends("fails", lambda: one("Fails")).trailing_metadata())
    said["shown"] = plain(ends("tells", lambda: one("Tells")).trailing_metadata())
    open_end = queue.Queue()
    open_end.put(b"first")
    got = []
    ends("enough", lambda: got.extend(c.stream_stream("/pkg.Service/Enough")(iter(open_end.get, None), **every)))
    said["before"] = [m.decode() for m in got]
    open_end.put(None)
    ends("late", lambda: c.unary_unary("/pkg.Service/Waits")(b"", timeout=2))
    waits = c.unary_unary("/pkg.Service/Waits").future(b"", **every)
    waits.cancel()
    said["cancelled"] = waits.cancelled()
    ends("denied", lambda: one("Drop"))
    ends("other service", lambda: c.unary_unary("/other.Service/Unary")(b"", **every))
    ends("denied stream", lambda: list(c.stream_stream("/pkg.Service/Stream")(iter(queue.Queue().get, None), **every)))
    ends("stolen", lambda: c.unary_unary("/pkg.Service/Unary")(b"", metadata=[("authorization", "Bearer " + sys.argv[1])], **every))
    ends("stolen in a message", lambda: one("Unary", sys.argv[1].encode()))
    stolen = queue.Queue()
    both = c.stream_stream("/pkg.Service/Both")(iter(stolen.get, None), **every)
    stolen.put(b"fine")
    assert next(both) == b"FINE"
    stolen.put(sys.argv[1].encode())
    ends("stolen in a later message", lambda: [m.decode() for m in both])
    stolen.put(None)
    with channel(compression=grpc.Compression.Gzip) as packed:
        said["packed"] = packed.unary_unary("/pkg.Service/Unary")(b"abc" * 1000, **every).decode()[:3]
    # A server that leaves lets a call that has begun go on.
    asked = queue.Queue()
    both = c.stream_stream("/pkg.Service/Both")(iter(asked.get, None), **every)
    asked.put(b"before")
    said["leaves"] = [next(both).decode(), one("Leaves")]
    asked.put(b"after")
    said["leaves"] += [next(both).decode()]
    asked.put(None)
    said["leaves"] += [len(list(both)), both.code().name]
print(json.dumps(said))
"""
GRPC_METHODS = "http='" + ", ".join(f"POST /pkg.Service/{name}" for name in ("Unary", "Down", "Up", "Both", "Fails", "Tells", "Enough", "Waits", "Leaves")) + "'"
CALL = "import grpc, sys\nwith grpc.secure_channel('open.test:8443', grpc.ssl_channel_credentials()) as c:\n  print(c.unary_unary(sys.argv[1])(b'', timeout=30).decode())\n"


def serve_grpc(network, uid):
    """In the world: its process, and the file of what it was asked."""
    log = f"{network.top}/grpc-{uid}"
    with network.world():
        server = subprocess.Popen(["/usr/bin/python3", "-c", GRPC_SERVER, *(f"{authority(network)}/good.{end}" for end in ("pem", "key")), PUBLIC, log, BEARER],
                                  stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "listens\n"
    return server, log


@both_users
def calls_of_grpc(network, who, uid):
    """All four kinds of calls, what ends them, metadata, the secret; and what a refused one is told."""
    need("openssl")
    if not has_module("grpc"):
        raise Skip("python3-grpcio is not installed")
    ready(network, uid)
    server, log = serve_grpc(network, uid)
    try:
        drop = [Row("drop", f"/usr/bin/python3 -c {quoted(CALL)} /pkg.Service/Drop", "dropped", "")]
        reach(network, who, drop, grants=["open.test:8443 http='POST /pkg.Service/Drop' secret=token"])  # the twin: it is there to be called
        failing(drop, run_rows(network, uid, drop, *connect("open.test:8443 http='POST /pkg.Service/Drop'"))[0], "who are you", f"without the secret ({who})")
        os.truncate(log, 0)
        (status, output), = run_rows(network, uid, [Row("", f"/usr/bin/python3 -c {quoted(GRPC_CLIENT)} {LAIN} {PATIENCE}", "", "")], *connect(f"open.test:8443 {GRPC_METHODS} secret=token"))[0]
        assert status == 0, f"{who}: {output[-3000:]}"
        server.wait(PATIENCE)
    finally:
        server.kill()
        server.wait()
    said = json.loads(output.splitlines()[-1])
    denied = {name: said.pop(name) for name in ("denied", "other service", "denied stream", "stolen", "stolen in a message", "stolen in a later message")}
    late, covered = said.pop("late"), "*" * len(TOKEN)
    assert said == {"unary": ["cba", "OK", {"x-first": "1"}, {"x-last": "a b", "x-last-bin": "0001ff"}], "large": 3 << 20, "down": sum(len(f"{i} ") * 2000 for i in range(300)),
                    "up": "3000000", "both": [0, "OK"], "fails": ["FAILED_PRECONDITION", "100% of \u00e4\nis gone"], "trailers": {"x-why": "none"},
                    "tells": ["INTERNAL", f"I was told Bearer {covered}"], "shown": {"x-shown": f"Bearer {covered}"}, "enough": ["RESOURCE_EXHAUSTED", "enough"], "before": ["one"],
                    "cancelled": True, "packed": "cba", "leaves": ["BEFORE", "soon", "AFTER", 0, "OK"]}, f"{who}: {said}"
    assert late[0] == "DEADLINE_EXCEEDED" and {code for code, _ in denied.values()} == {"PERMISSION_DENIED"}, f"{who}: {late} {denied}"
    for name, path in (("denied", "/pkg.Service/Drop"), ("other service", "/other.Service/Unary"), ("denied stream", "/pkg.Service/Stream")):
        assert denied[name][1] == f"POST {path} is not granted\nhint: added to the http rules of the grant open.test:8443, this one allows it: POST {path}", f"{who}: {denied[name]}"
    assert "is a credential that is not the grant" in denied["stolen"][1] and all("its body has a credential" in said_of[1] for name, said_of in denied.items() if "message" in name), f"{who}: {denied}"
    with open(log, encoding="ascii") as file:
        noted = [json.loads(line) for line in file]
    called = [n for n in noted if "metadata" in n]
    assert {n["method"] for n in called} == {"Unary", "Down", "Up", "Both", "Fails", "Tells", "Enough", "Waits", "Leaves"}, f"{who}: {noted}"
    assert [n["method"] for n in called].count("Unary") == 3 and {n["metadata"]["authorization"] for n in called} == {BEARER} and called[0]["metadata"]["x-asked"] == "yes", f"{who}: {noted}"
    assert {"left", "stopped"} <= {n["method"] for n in noted} and next(n["remaining"] for n in called if n["method"] == "Waits") < 3, f"{who}: {noted}"


# ---- WebSocket ----


class Socket(Guarded, Site):
    """Says back what comes in frames (RFC 6455)."""

    def upgraded(self):
        accept = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        self.wfile.write(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        while head := self.rfile.read(2):
            n = int.from_bytes(self.rfile.read(2)) if head[1] & 127 == 126 else head[1] & 127
            mask = self.rfile.read(4)
            body = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(n)))
            self.wfile.write(bytes([head[0]]) + (bytes([n]) if n < 126 else b"\x7e" + n.to_bytes(2)) + body)
            if head[0] & 15 == 8:
                break
        self.close_connection = True

    def do_GET(self):
        self.headers.replace_header("Upgrade", "echo") if self.headers.get("Upgrade") == "websocket" else None
        super().do_GET()


WEBSOCKET = r"""
import base64, hashlib, os, socket, ssl, sys
s = ssl.create_default_context().wrap_socket(socket.create_connection(("open.test", 443)), server_hostname="open.test")
key = base64.b64encode(os.urandom(16)).decode()
s.sendall(f"GET {sys.argv[1]} HTTP/1.1\r\nHost: open.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
f = s.makefile("rb")
print(f.readline().decode().split()[1])
fields = dict(line.decode().strip().lower().split(": ", 1) for line in iter(f.readline, b"\r\n"))
want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
if "sec-websocket-accept" in fields:
    assert fields["sec-websocket-accept"] == want.lower(), fields
    for first, body in ((0x81, b"hello"), (0x82, bytes(range(256)) * 100), (0x81, b"again"), (0x88, b"\x03\xe8")):
        n, mask = len(body), os.urandom(4)
        s.sendall(bytes([first]) + (bytes([0x80 | n]) if n < 126 else b"\xfe" + n.to_bytes(2, "big")) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(body)))
        head = f.read(2)
        got = f.read(int.from_bytes(f.read(2), "big") if head[1] == 126 else head[1])
        assert head[0] == first and got == body, (head, got[:100])
    print("echoed", f.read())
"""


@both_users
def a_websocket(network, who, uid):
    need("openssl")
    ready(network, uid, Socket)
    rows = [Row("websocket", f"/usr/bin/python3 -c {quoted(WEBSOCKET)} /live", "101\nechoed b''\n", ""),
            Row("refused", f"/usr/bin/python3 -c {quoted(WEBSOCKET)} /other", "403\n", "")]
    reach(network, who, rows, grants=["open.test:443 http='GET /live' secret=token"])


# ---- whom programs trust ----

NODE_HTTPS = "require('https').get(process.env.URL + '/node-https', r => r.resume()).on('error', e => { console.error(e); process.exit(1) })"
NODE_FETCH = "fetch(process.env.URL + '/node-fetch').catch(e => { console.error(e); process.exit(1) })"
PERL = "exit !HTTP::Tiny->new(verify_SSL => 1)->get($ENV{URL} . '/perl')->{success}"
PHP = "exit(file_get_contents(getenv('URL') . '/php') === false ? 1 : 0);"
RUBY = "Net::HTTP.get(URI(ENV['URL'] + '/ruby'))"
# Each client: what it needs, a word or more than that to try, and what it runs. One trusts if its request arrives, whatever it makes of the answer.
CLIENTS = {
    "curl": ("curl", "curl -sS $URL/curl"),
    "wget": ("wget", "wget -q --tries=1 -O- $URL/wget"),
    "git": ("git", "GIT_TERMINAL_PROMPT=0 git ls-remote $URL/git"),
    "openssl": ("openssl", r"printf 'GET /openssl HTTP/1.1\r\nHost: open.test\r\nConnection: close\r\n\r\n' | "
                           "openssl s_client -quiet -verify_return_error -verify_hostname open.test -connect open.test:443"),
    "gnutls": ("gnutls-cli", r"{ printf 'GET /gnutls HTTP/1.1\r\nHost: open.test\r\nConnection: close\r\n\r\n'; sleep 0.2; } | gnutls-cli open.test"),
    "python-urllib": ("python3", "/usr/bin/python3 -c 'import os, urllib.request as u; u.urlopen(os.environ[\"URL\"] + \"/python-urllib\")'"),
    "python-requests": ("python3 -c 'import requests'", "/usr/bin/python3 -c 'import os, requests; requests.get(os.environ[\"URL\"] + \"/python-requests\")'"),
    "pip": ("python3 -m pip --version", "/usr/bin/python3 -m pip download --no-deps --retries 0 -i $URL/pip nothing"),
    "node-https": ("node", f'node -e "{NODE_HTTPS}"'),
    "node-fetch": ("node -e 'fetch'", f'node -e "{NODE_FETCH}"'),
    "npm": ("npm", "npm view nothing --fetch-retries=0 --registry=$URL/npm/"),
    "perl": ("perl -MHTTP::Tiny -MIO::Socket::SSL -e 1", f"perl -MHTTP::Tiny -e '{PERL}'"),
    "ruby": ("ruby", f"ruby -rnet/http -e \"{RUBY}\""),
    "php": ("php", f"php -r \"{PHP}\""),
    "java": ("javac", "java -Xint -cp $HERE Fetch"),
}
# Those that look where the system has its own, and need no word of the environment.
BY_PLACE = ("curl", "wget", "git", "gnutls")
FETCH = """
import java.net.*;
public class Fetch {
    public static void main(String[] a) throws Exception {
        ((HttpURLConnection) new URL(System.getenv("URL") + "/java").openConnection()).getResponseCode();
    }
}
"""


def has(what):
    words = what if " " in what else f"command -v {what}"
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(["sh", "-c", words], env=path, capture_output=True, check=False).returncode == 0


def installed(network):
    """With what is not there said aloud."""
    found = {name: line for name, (what, line) in CLIENTS.items() if has(what)}
    if not os.path.exists("/etc/ssl/certs/java/cacerts"):
        found.pop("java", None)
    if missing := CLIENTS.keys() - found.keys():
        print(f"# not installed: {', '.join(sorted(missing))}", flush=True)
    if "java" in found and network.is_new:
        write(f"{network.top}/java/Fetch.java", FETCH)
        subprocess.run(["javac", "Fetch.java"], cwd=f"{network.top}/java", check=True, capture_output=True)
    return found


def arrived(network, uid, clients, *grants, url="https://open.test"):
    """Whose request came, of all that were called in one event; and what each said."""
    ASKED.clear()
    rows = [Row(name, f"export URL={url} HERE={network.top}/java; {{ {line}; }} </dev/null", "", "") for name, line in clients.items()]
    java = ["--read", f"{network.top}/java"] if "java" in clients else []
    found, result = run_rows(network, uid, rows, "--run", "node", *java, *connect(*grants))
    return {name: any(f"/{name}" in a["path"] for a in ASKED) for name in clients}, {name: said[-400:] for name, (_, said) in zip(clients, found)}, result


@both_users
def whom_programs_trust(network, who, uid):
    """The authority of ambit-http, by itself: those that look at a place by the place, too. What the person trusts and the system does not they do not."""
    need("openssl", "python3")
    network.place.settings["SSL_CERT_FILE"] = f"{authority(network)}/ca.pem"
    if network.is_new:
        serve(network)
    clients = installed(network)
    places = {f"place-{name}": "unset SSL_CERT_FILE CURL_CA_BUNDLE; " + line.replace(f"/{name}", f"/place-{name}") for name, line in clients.items() if name in BY_PLACE}
    came, said, result = arrived(network, uid, clients | places, "open.test:443 http='* /**'")
    assert all(came.values()), f"{who}: {[(n, said[n]) for n, yes in came.items() if not yes]}\n{result.stderr[-1000:]}"
    addressed = {name: line for name, line in clients.items() if name in ("curl", "wget", "git", "python-urllib", "node-https")}
    came, said, result = arrived(network, uid, addressed, f"{PUBLIC}:443 http='* /**'", url=f"https://{PUBLIC}")
    assert all(came.values()), f"{who}, by address: {[(n, said[n]) for n, yes in came.items() if not yes]}\n{result.stderr[-1000:]}"
    strict = {name: line for name, line in clients.items() if name not in ("npm", "pip", "java", "node-fetch")}
    came, _, _ = arrived(network, uid, strict, "open.test:443", "both.test:443 http='GET /kept'")
    assert not any(came.values()), f"{who}: they trust anybody: {came}"


SCENARIOS = [git_clones_and_pushes, npm_installs_from_a_private_index, pip_installs_from_a_private_index, curl_in_all_its_ways, clients_of_http_2,
             what_speaks_to_services_by_itself, libraries_of_services_in_python, libraries_of_services_in_node, github_by_its_command, calls_of_grpc,
             a_websocket, whom_programs_trust]

if __name__ == "__main__":
    main(SCENARIOS)
