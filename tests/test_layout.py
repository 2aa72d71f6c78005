"""The architecture, executable: twins on both sides, Keras's parameters, one-way imports."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from comparisons.experiments import EXPERIMENTS
from comparisons.pairs import PAIRS, UNPAIRED

ROOT = Path(__file__).parent.parent
SIDES = ("scratch", "reference")

# What scratch leaves out of Keras's signatures: everywhere, and by "topic.name".
LEFT_OUT = {
    "name": "of functions and initializers: scratch has no graph in which they need one",
    "loss_scale_factor": "serves float16, which scratch has not",
}
LEFT_OUT_OF = {
    "embedding.Embedding": {
        "lora_rank",
        "lora_alpha",
        "quantization_config",
    },
    "dense.Dense": {
        "lora_rank",
        "lora_alpha",
        "quantization_config",
    },
    "network.Input": {
        "batch_size",
        "dtype",
        "sparse",
        "ragged",
        "batch_shape",
        "tensor",
        "optional",
    },
}
LEFT_OUT_OF["normalization.BatchNormalization"] = {
    "renorm",
    "renorm_clipping",
    "renorm_momentum",
    "synchronized",
}
STATE = {"stateful", "unroll"}
LEFT_OUT_OF["recurrent.Bidirectional"] = {"weights"}  # which Keras takes and forgets
LEFT_OUT_OF["recurrent.LSTM"] = LEFT_OUT_OF["recurrent.GRU"] = STATE | {"use_cudnn"}
LEFT_OUT_OF["recurrent.SimpleRNN"] = STATE | {"activity_regularizer"}  # which Keras forgets there
LEFT_OUT_OF["attention.MultiHeadAttention"] = {
    "flash_attention",
    "activity_regularizer",
    "use_gate",
}
LEFT_OUT_OF["attention.dot_product_attention"] = {"flash_attention", "attn_logits_soft_cap"}
# Keras hides these signatures behind *args, **kwargs.
HIDDEN = {"network.Layer", "network.Sequential", "optimizers.Optimizer"}
HIDDEN |= {f"merging.{name}" for name in ("Add", "Average", "Maximum", "Minimum", "Multiply")}
HIDDEN.add("merging.Subtract")


def topics(side):
    paths = (ROOT / side).iterdir()
    names = {path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()}
    return sorted(names - {"__init__"})


def sources(side):
    return sorted((ROOT / side).rglob("*.py"))


def public_names(side, topic):
    """Names a topic defines, or takes from Keras, at its top level."""
    path = ROOT / side / f"{topic}.py"
    if not path.exists():
        return set(importlib.import_module(f"{side}.{topic}").__all__)
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras"):
            names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in names if not name.startswith("_")}


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


TOPICS = topics("scratch")
TWINS = [(topic, name) for topic in TOPICS for name in sorted(public_names("scratch", topic))]


def test_both_sides_have_the_same_topics():
    assert topics("scratch") == topics("reference")


@pytest.mark.parametrize("topic", TOPICS)
def test_both_sides_have_the_same_names(topic):
    assert public_names("scratch", topic) == public_names("reference", topic)


@pytest.mark.parametrize(
    ("side", "foreign"),
    [
        ("scratch", {"tensorflow", "keras", "reference", "comparisons"}),
        ("reference", {"scratch", "comparisons"}),
    ],
)
def test_imports_run_one_way(side, foreign):
    for path in sources(side):
        assert not foreign & set(imported_packages(path)), path


def test_importing_scratch_and_comparisons_loads_no_framework():
    code = "import sys, scratch, comparisons; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert {"scratch.dense", "numpy"} <= loaded
    assert not {"tensorflow", "keras", "scipy", "pandas", "sklearn", "matplotlib"} & loaded


def parameters(thing):
    return {
        name: parameter
        for name, parameter in inspect.signature(thing).parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }


def same_default(here, there):
    if here.default is inspect.Parameter.empty or there.default is inspect.Parameter.empty:
        return here.default is there.default
    return here.default == there.default and type(here.default) is type(there.default)


@pytest.mark.parametrize(("topic", "name"), TWINS)
def test_parameters_are_those_of_the_twin(topic, name):
    here = getattr(importlib.import_module(f"scratch.{topic}"), name)
    there = getattr(importlib.import_module(f"reference.{topic}"), name)
    if not callable(here) or f"{topic}.{name}" in HIDDEN:
        return
    here, there = parameters(here), parameters(there)
    for parameter in here:
        assert parameter in there, f"{parameter} is not in Keras's {name}"
        assert same_default(here[parameter], there[parameter]), parameter
    left_out = set(there) - set(here) - set(LEFT_OUT) - LEFT_OUT_OF.get(f"{topic}.{name}", set())
    assert not left_out


def test_everything_left_out_is_in_keras():
    for where, names in LEFT_OUT_OF.items():
        topic, name = where.split(".")
        there = getattr(importlib.import_module(f"reference.{topic}"), name)
        assert names <= set(parameters(there)), where


@pytest.mark.parametrize(("topic", "name"), TWINS)
def test_every_name_is_in_the_table_or_listed_with_a_reason(topic, name):
    paired = {(pair.topic, pair.name) for pair in PAIRS}
    listed = topic in UNPAIRED or f"{topic}.{name}" in UNPAIRED
    assert ((topic, name) in paired) != listed


def test_every_row_of_the_tables_names_something_that_exists():
    assert {(pair.topic, pair.name) for pair in PAIRS} <= set(TWINS)
    for entry in UNPAIRED:
        assert entry in TOPICS or tuple(entry.split(".")) in TWINS
    assert {experiment.model for experiment in EXPERIMENTS} <= public_names("scratch", "models")


def test_titles_of_the_tables_are_unique():
    titles = [(pair.title, pair.kind) for pair in PAIRS]
    assert len(set(titles)) == len(titles)
    names = [experiment.title for experiment in EXPERIMENTS]
    assert len(set(names)) == len(names)
