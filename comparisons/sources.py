"""Where a concept stands on either side: its source, found without running any of it."""

import ast
import difflib
import importlib.util
import inspect
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

METHODS = ("call", "update_step", "update_state", "__call__")  # where Keras's classes compute


@dataclass(frozen=True)
class Concept:
    """A name that both sides have, or with no name a whole topic."""

    topic: str
    name: str = ""

    @property
    def title(self) -> str:
        return f"{self.topic}.{self.name}" if self.name else self.topic

    def source(self, side: str) -> str:
        """The source on one side: of the name alone, or of all files of the topic."""
        if not self.name:
            return "\n\n".join(path.read_text() for path in _files(side, self.topic))
        return _definitions(side, self.topic)[self.name]

    @property
    def docstring(self) -> str:
        """What scratch says of it, formula first."""
        module = ast.parse(self.source("scratch"))
        node = module.body[0]
        if self.name and isinstance(node, ast.FunctionDef | ast.ClassDef):
            return ast.get_docstring(node) or ""
        return ast.get_docstring(module) or ""


def find(text: str) -> list[Concept]:
    """The topic of that name, else every concept: name, or topic.name. ValueError for no name."""
    found = [concept for concept in every() if text in (concept.title, concept.name)]
    if found:
        return [concept for concept in found if not concept.name] or found
    names = {name.lower(): name for c in every() for name in (c.title, c.name) if name}
    near = difflib.get_close_matches(text.lower(), names, n=3, cutoff=0.5)
    hint = f", did you mean {' or '.join(names[name] for name in near)}?" if near else ","
    raise ValueError(f"unknown name {text!r}{hint} `twofold list` shows all")


@cache
def every() -> tuple[Concept, ...]:
    """Every topic, and every name in it that both sides define."""
    folder = _folder("scratch")
    topics = sorted(path.stem for path in folder.iterdir() if not path.stem.startswith("__"))
    return tuple(concept for topic in topics if _files("scratch", topic) for concept in _in(topic))


def _in(topic: str) -> list[Concept]:
    names = _definitions("scratch", topic).keys() & _definitions("reference", topic).keys()
    return [Concept(topic), *(Concept(topic, name) for name in sorted(names))]


def shipped(source: str) -> str:
    """The Keras source behind a line such as "Dense = keras.layers.Dense"; "" where there is none.

    Of a class, that of the method that computes.
    """
    assignment = ast.parse(source).body[0]
    if not isinstance(assignment, ast.Assign):
        return ""
    import keras

    thing: Any = keras
    for attribute in ast.unparse(assignment.value).split(".")[1:]:
        thing = getattr(thing, attribute)
    if isinstance(thing, type):
        own = [vars(thing)[method] for method in METHODS if method in vars(thing)]
        return "\n".join(_code(method) for method in own)
    return _code(thing)


def _code(function: Any) -> str:
    """The source of a function without its decorators and docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    node: Any = ast.parse(source).body[0]
    lines, first = source.splitlines(keepends=True), node.body[0]
    if ast.get_docstring(node) is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "".join(lines[node.lineno - 1 :])


@cache
def _definitions(side: str, topic: str) -> dict[str, str]:
    """The source of every public function, class and value that a topic defines, by its name."""
    found: dict[str, str] = {}
    for path in _files(side, topic):
        text = path.read_text()
        for node in ast.parse(text).body:
            for name in _names(node):
                found[name] = _segment(text, node)
    return {name: source for name, source in found.items() if not name.startswith("_")}


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _segment(text: str, node: ast.stmt) -> str:
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "".join(text.splitlines(keepends=True)[start - 1 : node.end_lineno])


def _files(side: str, topic: str) -> list[Path]:
    folder = _folder(side)
    one = folder / f"{topic}.py"
    return [one] if one.exists() else sorted((folder / topic).glob("*.py"))


def _folder(side: str) -> Path:
    spec = importlib.util.find_spec(side)
    assert spec is not None
    return Path(str(spec.origin)).parent
