"""Names, texts and trees that a generator with a seed makes: the same seed, the same world."""

import csv
import io
import json

WORDS = ("account alpha amber anchor archive basket batch beacon border bridge broker budget buffer cable canvas carrier castle channel "
         "cipher cloud cluster column copper corner counter cursor delta depot digest docket dragon ember engine export factor feeder "
         "filter folder forest garden glider hammer harbor helper index inlet invoice island jacket journal kernel ladder lantern ledger "
         "letter lumber magnet margin market matrix meadow member metric mirror module nectar number object orbit order packet parcel "
         "parser pepper pillar pocket policy portal prefix press quota radar ranger reader record refund region report router sample "
         "schema sector sender signal silver socket source spiral stable stamp station stream summary switch system table target ticket "
         "timber token trace tracker tunnel update valley vector vendor vessel volume wallet window winter worker").split()


class Grown:
    """Makes things up by `rng`, a random.Random."""

    def __init__(self, rng):
        self.rng = rng

    def word(self):
        return self.rng.choice(WORDS)

    def name(self):
        return f"{self.word()}_{self.word()}"

    def names(self, low, high):
        """Different ones."""
        return self.rng.sample(WORDS, self.rng.randint(low, high))

    def some(self, steps, low=1, high=None):
        """A few of these, in their order."""
        n = self.rng.randint(low, min(high or len(steps), len(steps)))
        return [steps[i] for i in sorted(self.rng.sample(range(len(steps)), n))]

    def mixed(self, steps, low=1, high=None):
        """A few of these, in any order."""
        steps = self.some(steps, low, high)
        self.rng.shuffle(steps)
        return steps

    def prose(self, lines):
        return "".join(" ".join(self.word() for _ in range(self.rng.randint(4, 12))) + ".\n" for _ in range(lines))

    def secret(self):
        return "".join(self.rng.choice("0123456789abcdef") for _ in range(24))

    def rows(self, n):
        """Records of a made-up shop."""
        return [{"id": i, "name": self.name(), "region": self.rng.choice(("north", "south", "east", "west")),
                 "amount": self.rng.randint(1, 9000), "day": f"2026-0{self.rng.randint(1, 9)}-{self.rng.randint(10, 28)}"}
                for i in range(1, n + 1)]

    def csv(self, n):
        out = io.StringIO()
        rows = self.rows(n)
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def json(self, n):
        return json.dumps(self.rows(n), indent=1) + "\n"

    def json_lines(self, n):
        return "".join(json.dumps(row) + "\n" for row in self.rows(n))

    def log(self, n):
        kinds = ("INFO", "INFO", "INFO", "WARN", "ERROR")
        return "".join(f"2026-03-{self.rng.randint(10, 28)}T10:{i % 60:02}:00 {self.rng.choice(kinds)} {self.word()}: {self.word()} "
                       f"{self.rng.randint(1, 999)} ms\n" for i in range(n))

    def python(self, functions):
        """A module, and the names of its functions, each of which takes a whole number."""
        names = self.names(functions, functions)
        body = "".join(f"def {n}(x):\n    \"\"\"{self.prose(1).strip()}\"\"\"\n    return x * {self.rng.randint(2, 9)} + "
                       f"{self.rng.randint(0, 9)}\n\n\n" for n in names)
        return "import json\nimport os\n\n\n" + body, names

    def javascript(self, functions):
        names = self.names(functions, functions)
        body = "".join(f"function {n}(x) {{\n  return x * {self.rng.randint(2, 9)} + {self.rng.randint(0, 9)};\n}}\n\n" for n in names)
        return f"'use strict';\n\n{body}module.exports = {{ {', '.join(names)} }};\n", names

    def c(self, functions):
        names = [f"{n}_of" for n in self.names(functions, functions)]
        body = "".join(f"int {n}(int x)\n{{\n\treturn x * {self.rng.randint(2, 9)} + {self.rng.randint(0, 9)};\n}}\n\n" for n in names)
        return body, names
