"""twofold show: both sources of every pair, the formula above, the check's result below."""

import re
import sys
from types import SimpleNamespace

import pytest
from fakes import pair_result
from rich.console import Console

from comparisons import cli, sources
from comparisons.cli.show import _beside
from comparisons.pairs import PAIRS, UNPAIRED
from comparisons.report import terminal


@pytest.mark.parametrize("title", sorted({f"{pair.topic}.{pair.name}" for pair in PAIRS}))
def test_every_pair_is_found_with_both_sources(title):
    (concept,) = sources.find(title)
    assert concept.name in concept.source("scratch").splitlines()[0]
    assert concept.name in concept.source("reference")
    assert concept.docstring


@pytest.mark.parametrize("topic", sorted({pair.topic for pair in PAIRS}))
def test_every_topic_is_found_with_all_its_files(topic):
    (concept,) = sources.find(topic)
    assert re.search("^(import numpy as np|from scratch)", concept.source("scratch"), re.MULTILINE)
    assert {"import keras", "import tensorflow as tf"} & set(
        concept.source("reference").splitlines()
    )


def test_a_name_that_several_topics_have_is_found_in_each():
    found = [concept.title for concept in sources.find("CosineSimilarity")]
    assert found == ["losses.CosineSimilarity", "metrics.CosineSimilarity"]


def test_a_near_miss_gets_suggestions():
    with pytest.raises(ValueError, match="'sofmax', did you mean softmax"):
        sources.find("sofmax")
    with pytest.raises(ValueError, match="unknown name 'qqqq', `twofold list` shows all"):
        sources.find("qqqq")


def test_of_what_keras_ships_its_own_source_is_shown():
    assert "ops.matmul(inputs, self.kernel)" in sources.shipped("Dense = keras.layers.Dense\n")
    relu = sources.shipped("relu = keras.activations.relu\n")
    assert relu.startswith("def relu(x, negative_slope=0.0")
    assert '"""' not in relu
    assert sources.shipped("def own(x):\n    return x\n") == ""


@pytest.fixture
def checked(monkeypatch):
    """Checks that end at once; the pairs that were asked for."""
    asked = []

    def check_pair(pair, dtype, seed):
        asked.append(f"{pair.topic}.{pair.name}")
        return pair_result(pair.topic, pair.name, "match", dtype=dtype)

    monkeypatch.setitem(
        sys.modules, "comparisons.agreement", SimpleNamespace(check_pair=check_pair)
    )
    return asked


def test_formula_both_sources_and_verdict_follow_each_other(checked, capsys):
    assert cli.run(["show", "merging.add"]) == 0
    out = capsys.readouterr().out
    parts = ["y = x1 + x2", "def add(*inputs: _Array)", "def add(*inputs):", "pairs in float64"]
    places = [out.index(part) for part in parts]
    assert places == sorted(places)
    assert set(checked) == {"merging.add"}


def test_a_topic_shows_its_files_and_checks_all_its_pairs(checked, capsys):
    assert cli.run(["show", "dropout"]) == 0
    assert "class SpatialDropout2D" in capsys.readouterr().out
    assert set(checked) == {f"{p.topic}.{p.name}" for p in PAIRS if p.topic == "dropout"}


def test_what_has_no_pair_says_why(checked, capsys):
    assert cli.run(["show", "NaiveDense"]) == 0
    assert UNPAIRED["dense.NaiveDense"] in capsys.readouterr().out
    assert checked == []


def test_an_unknown_name_is_one_line_with_status_2(capsys):
    assert cli.run(["show", "relux"]) == 2
    assert capsys.readouterr().err.startswith("twofold: unknown name 'relux', did you mean relu")


@pytest.mark.parametrize(("width", "beside"), [(160, True), (70, False)])
def test_two_columns_where_both_fit_else_one_below_the_other(width, beside, monkeypatch):
    console = Console(width=width, force_terminal=True, color_system=None, highlight=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with console.capture() as capture:
        _beside(console, {"scratch/x": "left = 1\n" * 3, "reference/x": "r" * 80})
    (line,) = [line for line in capture.get().splitlines() if "r" * 60 in line]
    assert ("left = 1" in line) == beside


def test_only_what_is_shown_starts_tensorflow(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "start_tensorflow", lambda: pytest.fail("was started"))
    assert cli.run(["show", "relux"]) == 2
