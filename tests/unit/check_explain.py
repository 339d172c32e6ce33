"""The explain role as it is run: readable text against golden files, and input that means no good.

usage: check_explain.py AMBIT_EXPLAIN RECORD_SAMPLES GOLDEN_DIRECTORY bounded|sanitized     AMBIT_GOLDEN=write writes the golden files"""
import copy, json, os, subprocess, sys

GOLDEN = [('explain', 'denied'), ('explain', 'refused'), ('explain', 'given-up'), ('explain', 'committed'), ('explain', 'held'), ('explain', 'connected'), ('explain', 'labelled'), ('explain', 'unusual'), ('learn', 'denied'), ('learn', 'plain')]
MB = 1 << 20


def hostile(bounded):
    """name, bytes, what the message says"""
    yield 'nothing', b'', 'record: '
    yield 'no JSON', b'hello', 'record: byte'
    yield 'a number', b'7', 'record: '
    yield 'another object', b'{}', 'record: v: missing'
    yield 'NULs', b'\0' * 1000, 'record: byte'
    yield 'a deep list', b'[' * MB, 'depth'
    yield 'a deep object', b'{"a":' * MB, 'depth'
    yield 'terminal codes in a key', b'{"\x1b]52;c;x\x07":1}', 'record: byte'
    yield 'terminal codes in a word', b'\xc2\x9b2J\x1b[2J', 'record: byte'
    yield 'one value after another', b'{"v":1}{"v":1}', 'end of file expected'
    if bounded:  # sanitizers need more address space than any bound
        yield 'more than fits memory', b'[' + b'[],' * (40 * MB) + b'[]]', 'too large'
    yield 'one byte too long', b' ' * (128 * MB + 1), 'longer than 128 MB'


EVENT, TIME, DIGEST = 'e_01M8NZX4FTRV2HCGEW2DBNZQZ5', '2026-11-30T10:27:13.530Z', 64 * 'a'
CALL = {'v': 1, 'event': EVENT, 'server': EVENT, 'agent': None, 'kind': 'tool',
        'asked': {'tool': 'fs/read', 'workdir': '/w', 'arguments': [{'name': 'path', 'kind': 'text', 'value': './\x1b[2Jx\u202e'}, {'name': 'b', 'kind': 'long', 'value': '9000'}], 'sha256': DIGEST, 'size_bytes': 40},
        'decision': {'verdict': 'allowed', 'grant': {'object': 'fs/*', 'terms': None}, 'question': None, 'error': None},
        'answer': {'end': 'failed', 'sha256': DIGEST, 'size_bytes': 7}, 'times': {'asked': TIME, 'ended': TIME}}
CALL_TEXT = """Asked
  tool fs/read
  path = ./\\x1b[2Jx\\u{202e}
  b = a text of 9000 characters
  all of it: 40 bytes
  in: /w
  of the server in """ + EVENT + """ (ambit explain)

Allowed
  by: tool: fs/*

Ended
  the tool said that it failed
  its answer: 7 bytes
  after 0 ms
"""
# where, what stands there instead, what the message says
SPOILT_CALLS = [(['v'], 2, 'v: '), (['asked'], None, 'asked'), (['asked', 'tool'], 3, 'tool'), (['asked', 'arguments', 0, 'kind'], 'list', 'kind'), (['asked', 'arguments', 0, 'value'], {'b64': 'Zg='}, 'value'),
                (['asked', 'arguments'], 257 * [{}], 'arguments'), (['asked', 'sha256'], 'zz', 'sha256'), (['decision', 'verdict'], 'maybe', 'verdict'), (['decision', 'grant'], {'object': 'x'}, 'terms'),
                (['decision', 'error'], {'message': 1, 'hint': None}, 'message'), (['answer', 'end'], 'well', 'end'), (['answer', 'size_bytes'], -1, 'size_bytes'), (['times', 'ended'], 'now', 'ended'), (['server'], None, 'server')]


def main(role, samples, golden, build='bounded'):
    failed = 0

    def say(good, what):
        nonlocal failed
        failed += not good
        print('ok' if good else 'not ok', '-', what, flush=True)

    def run(mode, data):
        return subprocess.run([role] + ([mode] if mode else []), input=data, capture_output=True, timeout=120)

    for mode, name in GOLDEN:
        record = subprocess.run([samples, name], check=True, capture_output=True).stdout
        r = run(mode, record)
        path = os.path.join(golden, f'{mode}-{name}.txt')
        if os.environ.get('AMBIT_GOLDEN') == 'write':
            with open(path, 'wb') as f:
                f.write(r.stdout)
        with open(path, 'rb') as f:
            say(r.returncode == 0 and r.stdout == f.read() and r.stderr == b'', f'{mode} {name} is as in {os.path.basename(path)}')
    for name in subprocess.run([samples], check=True, capture_output=True, text=True).stdout.split():
        record = subprocess.run([samples, name], check=True, capture_output=True).stdout
        for mode in 'explain', 'learn':
            r = run(mode, record)
            bad = [b for b in r.stdout.decode() if ord(b) < 32 and b != '\n' or ord(b) == 127 or '\u202a' <= b <= '\u202e']
            say(r.returncode == 0 and not bad and len(r.stdout) < 4 * MB, f'{mode} {name}: text that a terminal can have')
    say(run('', record).stdout == run('explain', record).stdout, 'explain is what it does unasked')
    for args in ['explain', 'learn'], ['lern'], ['--help']:
        say(subprocess.run([role] + args, input=record, capture_output=True).returncode == 2, f'{args} is wrong usage')
    r = run('explain', json.dumps(CALL).encode())
    say(r.returncode == 0 and r.stdout.decode() == CALL_TEXT, 'a call is explained' + ('' if r.stdout.decode() == CALL_TEXT else f'\n# {r.stdout}'))
    say(run('learn', json.dumps(CALL).encode()).returncode == 1, 'from a call no command is learned')
    for way, value, text in SPOILT_CALLS:
        spoilt = copy.deepcopy(CALL)
        at = spoilt
        for key in way[:-1]:
            at = at[key]
        at[way[-1]] = value
        r = run('explain', json.dumps(spoilt).encode())
        say(r.returncode == 1 and text in r.stdout.decode(), f'a call with another {way}' + ('' if r.returncode == 1 else f'\n# {r}'))
    for name, data, text in hostile(build == 'bounded'):
        r = run('explain', data)
        message = r.stdout.decode()
        good = r.returncode == 1 and r.stderr == b'' and text in message and len(message) < 1000
        say(good and all(c >= ' ' for c in message), f'{name}: refused' + ('' if good else f'\n# {r.returncode} {r}'[:500]))
    return failed


if __name__ == '__main__':
    sys.exit(min(main(*sys.argv[1:]), 76))
