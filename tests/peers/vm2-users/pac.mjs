// pac-proxy-agent 5, pac-resolver 5 and degenerator 3: the proxy of an HTTP client is chosen by a script that comes from elsewhere.
//
// degenerator makes `new VM(options)` with the options of its caller as they are (sandbox, filename, and whatever the agent was given), runs one VMScript, and keeps the function that it gives.
// In: a dozen of the host's functions, some of which return promises. Out: a function, called later, whose promise waits for promises of the host.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import degenerator from 'degenerator';
import pacProxyAgent from 'pac-proxy-agent';
import pacResolver from 'pac-resolver';
import { cases } from './cases.mjs';

const COMPANY = `
  var seen = 0;
  function isInside(host) { return isPlainHostName(host) || dnsDomainIs(host, '.example.com') || localHostOrDomainIs(host, 'www.example.org'); }
  function FindProxyForURL(url, host) {
    seen++;
    if (shExpMatch(url, '*/count*')) return 'COUNT ' + seen;
    if (url.substring(0, 4) === 'ftp:') return 'PROXY ftp.example.com:21; DIRECT';
    if (isInside(host)) return 'DIRECT';
    if (shExpMatch(host, '*.test') && dnsDomainLevels(host) > 1) return 'SOCKS socks.example.com:1080';
    return 'PROXY proxy.example.com:8080; PROXY other.example.com:8080';
  }`;
const ASKING = `
  function place(host) { return isResolvable(host) ? dnsResolve(host) : 'nowhere'; }
  function FindProxyForURL(url, host) {
    if (isInNet(host, '127.0.0.0', '255.0.0.0')) return 'LOCAL ' + place(host);
    return 'OTHER ' + place(host);
  }`;

function listen(answer) {
  const server = http.createServer(answer);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function get(url, agent) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve(text));
    }).on('error', reject);
  });
}

await cases({
  async 'a script of rules chooses'() {
    const find = pacResolver(COMPANY);
    const chosen = async (url) => find(url);
    assert.equal(await chosen('http://intranet/'), 'DIRECT');
    assert.equal(await chosen('http://a.example.com/x'), 'DIRECT');
    assert.equal(await chosen('https://www.example.org/'), 'DIRECT');
    assert.equal(await chosen('http://a.b.test/'), 'SOCKS socks.example.com:1080');
    assert.equal(await chosen('ftp://example.net/'), 'PROXY ftp.example.com:21; DIRECT');
    assert.equal(await chosen('http://example.net/'), 'PROXY proxy.example.com:8080; PROXY other.example.com:8080');
  },
  async 'its state stays between two calls'() {
    const find = pacResolver(COMPANY);
    assert.equal(await find('http://x.net/count'), 'COUNT 1');
    assert.equal(await find('http://x.net/count'), 'COUNT 2');
    assert.equal(await pacResolver(COMPANY)('http://x.net/count'), 'COUNT 1');
  },
  async 'it waits for names to be looked up'() {
    const find = pacResolver(ASKING);
    assert.equal(await find('http://127.0.0.1/'), 'LOCAL 127.0.0.1');
    assert.match(await find('http://localhost/'), /^LOCAL 127\.0\.0\.1$|^OTHER ::1$/);
  },
  async 'several questions at once'() {
    const find = pacResolver(ASKING);
    assert.deepEqual(await Promise.all(Array.from({ length: 20 }, (_, i) => find(`http://127.0.0.${i + 1}/`))), Array.from({ length: 20 }, (_, i) => `LOCAL 127.0.0.${i + 1}`));
  },
  async 'answers by callback'() {
    const find = pacResolver(COMPANY);
    assert.equal(await new Promise((resolve, reject) => { find('http://intranet/', 'intranet', (problem, found) => (problem ? reject(problem) : resolve(found))); }), 'DIRECT');
  },
  async 'functions of the caller'() {
    const said = [], slowly = async (host) => { await new Promise((resolve) => { setTimeout(resolve, 5); }); return `${host}:1`; };
    const find = pacResolver("function FindProxyForURL(url, host) { alert('asked ' + host); return 'PROXY ' + slowly(host); }", { filename: 'own.pac', sandbox: { slowly, alert: (text) => said.push(text) } });
    assert.equal(await find('http://a/'), 'PROXY a:1');
    assert.deepEqual(said, ['asked a']);
  },
  async 'what a script throws'() {
    await assert.rejects(pacResolver("function FindProxyForURL() { throw new TypeError('not today'); }")('http://a/'), { name: 'TypeError', message: 'not today' });
    await assert.rejects(pacResolver('function FindProxyForURL(url) { return nothing.at(url); }')('http://a/'), { name: 'ReferenceError', message: 'nothing is not defined' });
    const failing = async () => { throw new RangeError('of the host'); };
    await assert.rejects(pacResolver('function FindProxyForURL() { return failing(); }', { sandbox: { failing } })('http://a/'), { name: 'RangeError', message: 'of the host' });
    assert.throws(() => pacResolver('var FindProxyForURL = 7;'), /Expected a "function" to be returned for `FindProxyForURL`, but got "number"/);
    assert.throws(() => pacResolver('1;'), { name: 'ReferenceError', message: 'FindProxyForURL is not defined' });
  },
  async 'a function keeps its name and its text'() {
    const find = pacResolver('function FindProxyForURL(url, host) { return isResolvable(host); }');
    assert.match(find.toString(), /^async function FindProxyForURL\(url, host\)/);
    assert.match(find.toString(), /await isResolvable\(host\)/);
  },
  async 'a script cannot reach the host'() {
    const find = pacResolver("function FindProxyForURL() { var make = isPlainHostName.constructor, found = make('return typeof process'); return typeof process + ' ' + typeof require + ' ' + found(); }");
    assert.equal(await find('http://a/'), 'undefined undefined undefined');
  },
  async 'degenerator by itself'() {
    const sum = degenerator.compile('function sum(list) { var n = 0; for (var i = 0; i < list.length; i++) n += get(list[i]); return n; }', 'sum', ['get'], { sandbox: { get: async (i) => i * 10 } });
    assert.equal(await sum([1, 2, 3]), 60);
    const self = degenerator.compile('function of(a) { return { a: a, list: [a, a], when: new Date(0) }; }', 'of', []);
    const found = await self('x');
    assert.deepEqual([found.a, found.list[1], found.list.length, found.when.getTime()], ['x', 'x', 2, 0]);
  },
  async 'an HTTP client goes through the proxy that a script names'() {
    const origin = await listen((request, response) => response.end(`origin ${request.url}`));
    const proxy = await listen((request, response) => response.end(`proxied ${request.url}`));
    const top = fs.mkdtempSync(path.join(os.tmpdir(), 'pac-')), file = path.join(top, 'proxy.pac');
    const at = `http://127.0.0.1:${origin.address().port}`;
    try {
      fs.writeFileSync(file, `function FindProxyForURL(url, host) { return shExpMatch(url, '*/secret*') ? 'PROXY 127.0.0.1:${proxy.address().port}' : 'DIRECT'; }`);
      const agent = new pacProxyAgent(`pac+${pathToFileURL(file).href}`);
      assert.equal(await get(`${at}/plain`, agent), 'origin /plain');
      assert.equal(await get(`${at}/secret`, agent), `proxied ${at}/secret`);
      assert.deepEqual(await Promise.all([get(`${at}/secret/1`, agent), get(`${at}/2`, agent), get(`${at}/secret/3`, agent)]), [`proxied ${at}/secret/1`, 'origin /2', `proxied ${at}/secret/3`]);
    } finally {
      fs.rmSync(top, { recursive: true });
      for (const server of [origin, proxy]) server.close();
    }
  },
});
