"""Each sample's record against the schema (made strict: no key that it does not know) and, where there is one, against
its golden file. AMBIT_GOLDEN=write writes the golden files anew: read the difference before you commit it.

usage: check_records.py RECORD_SAMPLES SCHEMA GOLDEN_DIRECTORY"""
import copy, json, os, subprocess, sys

try:
    import jsonschema
except ImportError:
    print('1..0 # SKIP python3-jsonschema is not installed')
    sys.exit(1 if os.environ.get('AMBIT_MUST_RUN') else 77)

GOLDEN = ['plain', 'denied', 'limit-memory', 'refused', 'names', 'output-binary', 'committed', 'held', 'connected', 'kernel', 'labelled', 'unusual']


def strict(node):
    """Readers ignore unknown keys; our own writer makes none."""
    if isinstance(node, list):
        for n in node:
            strict(n)
    elif isinstance(node, dict):
        if 'properties' in node and node.get('type') == 'object':
            node['additionalProperties'] = False
        for n in node.values():
            strict(n)
    return node


MISSING = object()


def changed(record, path, value):
    r = copy.deepcopy(record)
    *way, last = path
    at = r
    for k in way:
        at = at[k]
    if value is MISSING:
        del at[last]
    else:
        at[last] = value
    return r


# Records that must not pass: the schema is worth what it refuses. (sample, what, where, what stands there instead)
SPOILT = [
    ('denied', 'another version', ['v'], 2),
    ('denied', 'an unknown key', ['extra'], 1),
    ('denied', 'no outcome', ['outcome'], MISSING),
    ('denied', 'a time without milliseconds', ['times', 'started'], '2026-01-01T00:00:00Z'),
    ('denied', 'half a byte of base64', ['effects', 0, 'path'], {'b64': 'Zg='}),
    ('denied', 'a limit that is no limit', ['outcome', 'limit'], 'wall'),
    ('denied', 'a denial without its grant', ['effects', 2, 'would'], MISSING),
    ('denied', 'an address without one', ['effects', 9, 'address'], MISSING),
    ('denied', 'a wall with a hole', ['wall', 'files'], MISSING),
    ('denied', 'an id with an I', ['event'], 'e_' + 'I' * 26),
    ('denied', 'a workspace that is unknown', ['outcome', 'workspace'], 'lost'),
    ('denied', 'what was asked for as proved', ['effects', 0, 'source'], 'proved'),
    ('denied', 'the kind of a change that was only asked for', ['effects', 0, 'kind'], 'added'),
    ('committed', 'a change that was only asked for', ['effects', 0, 'source'], 'requested'),
    ('committed', 'an unknown kind of change', ['effects', 0, 'kind'], 'read'),
    ('committed', 'a change with a grant', ['effects', 0, 'grant'], None),
    ('committed', 'a change without its type', ['effects', 0, 'type'], MISSING),
    ('committed', 'a new file without its size', ['effects', 1, 'size'], MISSING),
    ('committed', 'a new file with a size before', ['effects', 1, 'size_before'], 1),
    ('committed', 'a changed file without its size before', ['effects', 2, 'size_before'], MISSING),
    ('committed', 'a deleted file with a mode', ['effects', 3, 'mode'], '0644'),
    ('committed', 'a renamed file without its old name', ['effects', 4, 'from'], MISSING),
    ('committed', 'a new file with an old name', ['effects', 1, 'from'], '/x'),
    ('committed', 'a digest in capitals', ['effects', 1, 'sha256'], 'A' * 64),
    ('committed', 'a mode that is a number', ['effects', 1, 'mode'], 420),
    ('committed', 'what is held and not said to be', ['effects', 1, 'held'], 'protected'),
    ('held', 'what is held without a reason of the table', ['effects', 30, 'held'], MISSING),
    ('connected', 'a connection that is proved without its meter', ['effects', 0, 'meter'], MISSING),
    ('connected', 'a connection that was only asked for with one', ['effects', 0, 'source'], 'requested'),
    ('connected', 'a budget that is none', ['effects', 0, 'meter', 'stopped_by'], ['ech']),
    ('connected', 'bytes that are less than none', ['effects', 0, 'meter', 'up_bytes'], -1),
    ('connected', 'a rate without a period', ['grants', 0, 'qualifiers', 'rate'], '10'),
    ('connected', 'a moment that is none', ['grants', 0, 'qualifiers', 'until'], '2026-12-01'),
    ('connected', 'a secret without its place', ['grants', 0, 'qualifiers', 'secret'], 'github'),
    ('connected', 'credentials that are not told', ['grants', 0, 'qualifiers', 'credentials'], 'refuse'),
    ('connected', 'qualifiers of which there are none', ['grants', 1, 'qualifiers'], {}),
    ('kernel', 'a step that ended in no way', ['kernel', 'told', 0, 'end'], 'never'),
    ('kernel', 'a step without a digest', ['kernel', 'told', 1, 'sha256'], None),
    ('held', 'what is held and allowed', ['effects', 30, 'verdict'], 'allowed'),
]


def main(samples, schema_path, golden):
    with open(schema_path) as f:
        schema = strict(json.load(f))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    names = subprocess.run([samples], check=True, capture_output=True, text=True).stdout.split()
    failed = 0

    def say(good, what):
        nonlocal failed
        failed += not good
        print('ok' if good else 'not ok', '-', what)

    records = {}
    for name in names:
        line = subprocess.run([samples, name], check=True, capture_output=True).stdout
        again = subprocess.run([samples, name], check=True, capture_output=True).stdout
        records[name] = json.loads(line)
        problems = [f'{list(p.absolute_path)}: {p.message[:200]}' for p in validator.iter_errors(records[name])]
        say(not problems, f'{name} is as the schema says' + ''.join('\n# ' + p for p in problems[:5]))
        say(line == again and line.count(b'\n') == 1, f'{name} is one line, the same each time')
        path = os.path.join(golden, f'record-{name}.json')
        if name in GOLDEN and os.environ.get('AMBIT_GOLDEN') == 'write':
            with open(path, 'wb') as f:
                f.write(line)
        if name in GOLDEN:
            with open(path, 'rb') as f:
                say(f.read() == line, f'{name} is as in {os.path.basename(path)}')
    for sample, what, path, value in SPOILT:
        say(not validator.is_valid(changed(records[sample], path, value)), f'the schema refuses {what}')
    return failed


if __name__ == '__main__':
    sys.exit(min(main(*sys.argv[1:]), 76))
