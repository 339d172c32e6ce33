"""The test run that bench/work.py times: ordinary unit tests of parsing, files, sorting and one child process. They pass
or fail like any other; what is measured is the whole run."""
import csv
import difflib
import io
import json
import pathlib
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import unittest
import zipfile


def people(n):
    rng = random.Random(4)
    return [{'id': i, 'name': f'name-{rng.randrange(10**6)}', 'tags': [str(rng.random()) for _ in range(4)]} for i in range(n)]


class Json(unittest.TestCase):
    def test_round_trip(self):
        for n in range(40):
            rows = people(150 + n)
            self.assertEqual(json.loads(json.dumps(rows, indent=1)), rows)

    def test_refuses(self):
        for text in ['{', '[1,]', '{"a" 1}', 'nul', '"\x01"'] * 200:
            with self.assertRaises(ValueError):
                json.loads(text)


class Patterns(unittest.TestCase):
    def test_finds_words(self):
        text = ' '.join(row['name'] for row in people(4000))
        for digits in range(1, 7):
            found = re.findall(r'\bname-(\d{%d})\b' % digits, text)
            self.assertTrue(all(len(f) == digits for f in found))

    def test_wraps_and_compares(self):
        text = ' '.join(row['name'] for row in people(600))
        for width in range(40, 80, 4):
            lines = textwrap.wrap(text, width)
            self.assertLessEqual(max(map(len, lines)), width)
            self.assertEqual(list(difflib.unified_diff(lines, lines)), [])


class Files(unittest.TestCase):
    def setUp(self):
        self.kept = tempfile.TemporaryDirectory(dir='.')  # the same file system bare and in a cell
        self.dir = pathlib.Path(self.kept.name)
        self.addCleanup(self.kept.cleanup)

    def test_many_small_files(self):
        for i in range(400):
            (self.dir / f'{i}.txt').write_text(f'{i}\n' * 20)
        self.assertEqual(sum(len(p.read_text().split()) for p in self.dir.glob('*.txt')), 400 * 20)

    def test_archive(self):
        path = self.dir / 'a.zip'
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
            for i in range(100):
                z.writestr(f'{i}', json.dumps(people(20)))
        with zipfile.ZipFile(path) as z:
            self.assertIsNone(z.testzip())

    def test_database(self):
        with sqlite3.connect(self.dir / 'a.db') as db:
            db.execute('create table t (id integer primary key, name text)')
            db.executemany('insert into t values (?, ?)', [(r['id'], r['name']) for r in people(20000)])
            self.assertEqual(db.execute('select count(*) from t').fetchone(), (20000,))
        db.close()

    def test_csv(self):
        room = io.StringIO()
        csv.writer(room).writerows([r['id'], r['name']] for r in people(5000))
        room.seek(0)
        self.assertEqual(sum(1 for _ in csv.reader(room)), 5000)


class Children(unittest.TestCase):
    def test_prints(self):
        for n in range(6):
            done = subprocess.run([sys.executable, '-I', '-c', f'print({n})'], capture_output=True, check=True)
            self.assertEqual(done.stdout, f'{n}\n'.encode())


if __name__ == '__main__':
    unittest.main()
