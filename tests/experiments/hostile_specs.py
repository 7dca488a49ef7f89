"""Specs that mean harm, made by script: what each is, what is said of it, its bytes."""

import yaml

GOOD = {
    "title": "Small",
    "dataset": {"name": "phantom_nodules", "options": {"images": 120}},
    "model": {"architecture": "tiny_cnn"},
    "training": {"epochs": 2},
    "backends": ["fake"],
}


def spec(**changed):
    """A spec with sections as given."""
    return yaml.safe_dump({**GOOD, **changed}).encode()


def text(line):
    """A spec with a line of YAML before it."""
    return line.encode() + b"\n" + spec()


def training(value):
    return spec(training={"epochs": 0}).replace(b"epochs: 0", f"epochs: {value}".encode())


LAUGHS = "a: &a [ha, ha]\n" + "".join(
    f"{now}: &{now} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, now in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "nothing": ("holds no keys", b""),
    "a word": ("holds no keys", b"spec"),
    "a list": ("holds no keys", b"[1, 2]"),
    "two documents": ("another document", spec() + b"---\n" + spec()),
    "a billion laughs": (r"aliases \(\*a\) are not allowed", LAUGHS.encode()),
    "a circle": (r"aliases \(\*a\) are not allowed", b"a: &a [*a]"),
    "a merge": ("<<: no such key", text("<<: {tracking: mlflow}")),
    "a merge of an alias": ("aliases", b"a: &a {b: 1}\nc: {<<: *a}"),
    "100,000 levels of lists": ("more than 20 levels", b"[" * 100_000),
    "100,000 levels of keys": ("more than 20 levels", b"{a: " * 100_000),
    "indented levels": (
        "more than 20 levels", "".join(" " * n + f"k{n}:\n" for n in range(600)).encode()
    ),
    "a key twice": ("title stands here twice", text("title: other")),
    "a key twice, inside": ("a stands here twice", text("quick: {a: 1, a: 2}")),
    "a key of lists": ("a key must be a word", text("? [1, 2]\n: 3")),
    "a program": ("tags", text("title2: !!python/object/apply:os.system ['touch canary']")),
    "a module": ("tags", text("a: !!python/module:antigravity ''")),
    "a name of Python": ("tags", text("a: !!python/name:os.system ''")),
    "an object": ("tags", text("a: !!python/object/new:os.system ['touch canary']")),
    "a tag of its own": ("tags", text("a: !include /etc/passwd")),
    "a tag that is no number": ("tags", text("a: !!int abc")),
    "a tag of bytes": ("tags", text("a: !!binary aGVsbG8=")),
    "a tag of a moment": ("tags", text("a: !!timestamp 2026-13-99")),
    "a directive": ("not YAML", b"%YAML 9.9\n---\na: 1"),
    "a tag directive": ("tags", b"%TAG ! tag:yaml.org,2002:python/\n---\na: !name:os.system ''"),
    "NUL": ("not YAML", text("title2: a\0b")),
    "NUL, quoted": ("holds NUL", text('"ti\\0tle": a')),
    "control characters": ("not YAML", text("a: \x1b[2J")),
    "invalid UTF-8": ("not YAML: 'utf-8' codec", spec() + b"# \xff\xfe"),
    "UTF-16": ("not YAML: 'utf-8' codec", spec().decode().encode("utf-16")),
    "half a surrogate": ("half a surrogate pair", text('a: "\\ud800"')),
    "10 MB": ("too large", b"# " + b"x" * 10_000_000),
    "1 MB of items": ("more than 100000 values", b"a: [" + b"1," * 500_000 + b"]"),
    "1 MB of keys": (
        "more than 100000 values",
        b"".join(b"k%x:\n" % n for n in range(120_000)),
    ),
    "a number of 5,000 digits": ("too large for a number", training("9" * 5000)),
    "a float of 5,000 digits": ("too large for a number", training("0." + "9" * 5000)),
    "an infinity": ("too large for a number", training("1e999")),
    "not a number": (r"training.epochs: .*got '\.nan'", training(".nan")),
    "the other infinity": (r"training.epochs: .*got '\.inf'", training(".inf")),
    "sixty": ("training.epochs: .*got '1:30'", training("1:30")),
    "no": ("training.epochs: .*got 'no'", training("no")),
    "yes for a boolean": ("tensorboard: .*got 'maybe'", text("tensorboard: maybe")),
    "octal": ("training.epochs: .*got '0o17'", training("0o17")),
    "infinity as a word": ("costs.miss: .*finite", spec(evaluation={"costs": {"miss": "inf"}})),
    "infinity for an optimiser": (
        "learning_rate: .*finite",
        spec(training={"epochs": 1, "optimizer": {"name": "adam", "learning_rate": "inf"}}),
    ),
    "a day": ("training.epochs: .*got '2026-11-27'", training("2026-11-27")),
    "a typo": ("titel: no such key. Did you mean 'title'", text("titel: x")),
    "a grid of 10^9": (
        "asks for 1000000000 runs; 10000 at most",
        spec(grid={f"training.k{n}": list(range(1000)) for n in range(3)}),
    ),
    "a grid of 10^30": (
        "runs; 10000 at most", spec(grid={f"training.k{n}": [1] * 1000 for n in range(10)})
    ),
    "a grid of seeds": ("runs; 10000 at most", spec(seeds=list(range(10_001)))),
    "a grid into nowhere": (
        "title: should be a valid string", spec(grid={"title.x.y": [1, 2]})
    ),
    "a grid of a far place": (
        "preprocessing: should be", spec(grid={"preprocessing." + "9" * 6: [1, 2]})
    ),
    "a grid of a place of 5,000 digits": (
        "nothing in the spec|no such key|valid", spec(grid={"preprocessing." + "9" * 5000: [1, 2]})
    ),
    "a dataset that climbs": (
        r"No dataset is called '\.\./\.\./x'", spec(dataset={"name": "../../x"})
    ),
    "a dataset of NUL": ("holds NUL", spec(dataset={"name": "a\0b"})),
    "an absolute architecture": (
        "No architecture is called '/etc/passwd'", spec(model={"architecture": "/etc/passwd"})
    ),
    "an architecture of private things": (
        "could not be imported", spec(model={"architecture": "no.such.module:x"})
    ),
    "an architecture that is no factory": (
        "architecture", spec(model={"architecture": "os:system"})
    ),
    "a step that climbs": ("step", spec(preprocessing=[{"name": "../../resize"}])),
    "a device that climbs": ("device", spec(device="../../gpu")),
    "a cluster in the open": (
        "neither encrypted nor on this machine",
        spec(executor={"name": "dask", "address": "tcp://203.0.113.1:8786"}),
    ),
    "a backend that climbs": ("backends", spec(backends=["../fake"])),
    "options that are a list": ("dataset.options", spec(dataset={"name": "table", "options": [1]})),
}  # fmt: skip
