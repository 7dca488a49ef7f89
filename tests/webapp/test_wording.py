"""Every sentence is there in both languages, is asked for, and has what is filled in."""

import ast
import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
import yaml

from radzoo import webapp
from radzoo.experiments import runner
from radzoo.webapp import layout, wording
from radzoo.webapp.wording import LANGUAGES, number, percent, say, sentences

FOLDER = Path(webapp.__file__).parent
SCRIPTS = sorted(FOLDER.glob("assets/*.js"))


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_sentence_is_in_both_languages_with_the_same_values():
    for key, texts in sentences().items():
        assert texts.keys() == set(LANGUAGES), key
        assert all(text.strip() == text != "" for text in texts.values()), key
        assert fields(texts["es"]) == fields(texts["en"]), key


def test_no_key_stands_twice():
    class Loader(yaml.SafeLoader):
        """One that does not let the last of equal keys win."""

    def mapping(loader, node):
        pairs = [[loader.construct_object(one, deep=True) for one in pair] for pair in node.value]
        made = dict(pairs)
        assert len(made) == len(pairs), list(made)
        return made

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    yaml.load((FOLDER / "wording.yaml").read_text(encoding="utf-8"), Loader)


@cache
def code():
    """Each module of the reading room, parsed."""
    return {
        path.relative_to(FOLDER).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.rglob("*.py"))
    }


def calls():
    """Each call: its module, what is called, and the node."""
    for name, tree in code().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield name, ast.unparse(node.func), node


def constant(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def asked():
    """Keys that are written out where they are asked for: module, key, values (None: not told)."""
    places = {"say": (1, ""), "refuse": (1, "accounts."), "FilmRefused": (0, "refused.")}
    places["Busy"] = places["FilmRefused"]
    for name, function, node in calls():
        place, start = places.get(function.rpartition(".")[2], (None, ""))
        if function.endswith("visit.say"):
            place = 0
        if place is None or len(node.args) <= place:
            continue
        key = constant(node.args[place])
        if key is not None:
            if function.endswith("visit.say") and "." not in key:
                start = "page."
            told = {word.arg for word in node.keywords}
            yield name, start + key, None if None in told else told


def words():
    """Keys of a section that a module asks for by a function of its own, `words`."""
    for name, tree in code().items():
        section = re.search(r"def words\(.*?f'(\w+)\.\{key\}'", ast.unparse(tree), re.DOTALL)
        for module, function, node in calls() if section else ():
            if (module, function) == (name, "words") and constant(node.args[0]):
                yield name, f"{section[1]}.{constant(node.args[0])}"


def of_scripts():
    """Keys that the page's scripts write out where they ask for them."""
    for path in SCRIPTS:
        for found in re.finditer(r"""\btext\(\s*["']([\w.]+)["']""", path.read_text("utf-8")):
            yield path.name, found[1]


def of_templates():
    for path in sorted(FOLDER.glob("templates/*.j2")):
        for found in re.finditer(r"""say\(["']([\w.]+)["']""", path.read_text("utf-8")):
            yield path.name, found[1]


def test_every_sentence_that_the_code_asks_for_is_there_and_gets_its_values():
    found = list(asked())
    assert len(found) > 150  # or they are not found any more
    for module, key, told in found:
        assert key in sentences(), (module, key)
        if told is not None:
            assert fields(sentences()[key]["en"]) <= told, (module, key)


def test_every_sentence_that_a_module_a_template_or_a_script_asks_for_is_there():
    modules, templates, scripts = list(words()), list(of_templates()), list(of_scripts())
    assert min(map(len, (modules, templates, scripts))) > 9
    for place, key in modules + templates:
        assert key in sentences(), (place, key)
    for place, key in scripts:
        assert all(key in layout.texts(language) for language in LANGUAGES), (place, key)


@cache
def strings():
    """All that is written between quotes, and patterns to be filled in: `page.rule_{}`."""
    found = {key for _, key in (*of_templates(), *of_scripts())}
    for tree in code().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(constant(part) or "{}" for part in node.values))
            elif constant(node):
                found.add(node.value)
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        found |= set(re.findall(r'"([^"\n]*)"', text)) | set(re.findall(r"(\w+):", text))
        templates = re.findall(r"(?=`(\w*\$\{[\w.]+\}\w*)`)", text)  # one may lie in another
        found |= {re.sub(r"\$\{.*\}", "{}", one) for one in templates}
    return found


def written(key):
    """Whether a key is written out, or made by filling words that are into a pattern that is."""
    patterns = [one.split("{}") for one in strings() if "{}" in one and one.strip("{}")]
    for parts in patterns:
        made = re.fullmatch("(.+)".join(map(re.escape, parts)), key)
        if made and all(one in strings() for one in made.groups()):
            return True
    return key in strings()


# What fills them in is written elsewhere: in datasets, in HTTP, in the manifests of runs.
STATES = re.findall(r'\.close\("(\w+)"', Path(runner.__file__).read_text("utf-8"))
ELSEWHERE = re.compile(rf"classes\.\w+|accounts\.error_\d+|training\.({'|'.join(STATES)})")


def test_no_sentence_is_there_that_nothing_asks_for():
    idle = [
        key
        for key in sentences()
        if not (written(key) or written(key.partition(".")[2]) or ELSEWHERE.fullmatch(key))
    ]
    assert idle == []


def test_every_state_of_a_run_has_a_word():
    assert {"finished", "interrupted", "pruned", "failed"} <= {*STATES, "finished"}
    for state in (*STATES, "running", "finished"):
        assert wording.has(f"training.{state}"), state


def test_numbers_are_written_as_each_language_writes_them():
    assert [number(language, 1234.567, 2) for language in LANGUAGES] == ["1234,57", "1234.57"]
    assert [number(language, 0.5) for language in LANGUAGES] == ["0", "0"]
    assert [percent(language, 0.1234, 1) for language in LANGUAGES] == [
        "12,3\N{NO-BREAK SPACE}%",
        "12.3%",
    ]


def test_a_section_holds_its_sentences_without_values_filled_in():
    script = wording.section("en", "script")
    assert script["kept"] == "Reading kept: {verdict}."
    assert "general" not in {key.partition(".")[0] for key in script}
    with pytest.raises(KeyError):
        say("en", "script.of_nobody")
    assert not wording.has("script.of_nobody")
