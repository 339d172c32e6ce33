"""Each sample's record against the schema (made strict: no key that it does not know) and, where there is one, against
its golden file. AMBIT_GOLDEN=write writes the golden files anew: read the difference before you commit it.

usage: check_records.py RECORD_SAMPLES SCHEMA GOLDEN_DIRECTORY"""
import copy, json, os, subprocess, sys

try:
    import jsonschema
except ImportError:
    print('1..0 # SKIP python3-jsonschema is not installed')
    sys.exit(1 if os.environ.get('AMBIT_MUST_RUN') else 77)

GOLDEN = ['plain', 'denied', 'limit-memory', 'refused', 'names', 'output-binary']


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


def spoilt(record):
    """Records that must not pass: the schema is worth what it refuses."""
    def change(what, path, value):
        r = copy.deepcopy(record)
        *way, last = path
        at = r
        for k in way:
            at = at[k]
        if value is spoilt:
            del at[last]
        else:
            at[last] = value
        return what, r

    yield change('another version', ['v'], 2)
    yield change('an unknown key', ['extra'], 1)
    yield change('no outcome', ['outcome'], spoilt)
    yield change('a time without milliseconds', ['times', 'started'], '2026-01-01T00:00:00Z')
    yield change('half a byte of base64', ['effects', 0, 'path'], {'b64': 'Zg='})
    yield change('a limit that is no limit', ['outcome', 'limit'], 'wall')
    yield change('a denial without its grant', ['effects', 2, 'would'], spoilt)
    yield change('an address without one', ['effects', 9, 'address'], spoilt)
    yield change('a wall with a hole', ['wall', 'files'], spoilt)
    yield change('an id with an I', ['event'], 'e_' + 'I' * 26)


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
    for what, record in spoilt(records['denied']):
        say(not validator.is_valid(record), f'the schema refuses {what}')
    return failed


if __name__ == '__main__':
    sys.exit(min(main(*sys.argv[1:]), 76))
