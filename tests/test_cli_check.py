"""`twofold check` and `twofold bugs`, called as a user calls them."""

import json
import os
from importlib.metadata import version

import pytest

from comparisons import cli

SOURCE = """
import keras
import numpy as np
import tensorflow as tf

import scratch


def square(x):
    return x * x, lambda dy: dy * 2 * x


def forgotten_two(x):
    return x * x, lambda dy: dy * x


def raises(x):
    return x * x, lambda dy: dy @ x


@tf.custom_gradient
def clipped(x):
    y = tf.clip_by_value(x, -1.0, 1.0)
    return y, lambda dy: dy


def forward(x, kernel):
    return x @ kernel


def backward(dy, x, kernel):
    return dy @ kernel.T, x.T @ dy


pair = forward, backward
layer = scratch.dense.Dense(3, activation="tanh", dtype="float64")
keras_layer = keras.layers.Dense(3, activation="tanh", dtype="float64")
number = 3
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    (tmp_path / "user_gradients.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return "user_gradients.py"


def run(capsys, *arguments):
    status = cli.run([*map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("square", ["--input", "x=5x3"]),
        ("square", ["--against", "tensorflow:square", "--input", "x=5x3"]),
        ("pair", ["--against", "tensorflow:matmul", "--input", "x=5x4", "--input", "kernel=4x3"]),
        ("layer", ["--against", "{source}:keras_layer", "--input", "x=5x4"]),
        ("square", ["--input", "x=5x3", "--dtype", "float32", "--seed", "3"]),
    ],
)
def test_right_gradients_leave_with_0(source, capsys, target, options):
    options = [option.format(source=source) for option in options]
    status, out, err = run(capsys, "check", f"{source}:{target}", *options)
    assert status == 0, out + err
    assert "match" in out or "identical" in out


def test_wrong_gradient_leaves_with_1_and_the_command_that_shows_it_again(source, capsys, tmp_path):
    command = ["check", f"{source}:forgotten_two", "--input", "x=5x3", "--seed", "7"]
    status, out, _ = run(capsys, *command, "--json", tmp_path / "report.json")
    assert status == 1
    assert "dx is exactly 2 times too small" in out
    again = out.splitlines()[-1].split()
    assert again[:2] == ["twofold", "check"]
    assert run(capsys, *again[1:])[1] == out
    record = json.loads((tmp_path / "report.json").read_text())
    assert record["verdict"] == "mismatch"
    assert record["twofold"] == version("twofold")
    assert record["gradients"][0]["name"] == "x"
    assert " ".join(again) == record["command"]


def test_a_reader_that_has_gone_changes_neither_the_status_nor_the_file(source, capfd, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    stdout = os.dup(1)
    os.dup2(writer, 1)
    command = ["check", f"{source}:forgotten_two", "--input", "x=5x3"]
    try:
        status = cli.run([*command, "--json", str(tmp_path / "report.json")])
    finally:
        os.dup2(stdout, 1)
    assert status == 1
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "mismatch"


def test_custom_gradient_is_held_against_its_undecorated_forward(source, capsys):
    status, out, _ = run(capsys, "check", f"{source}:clipped", "--input", "x=5x3")
    assert status == 1
    assert "clipped: mismatch" in out


def test_an_error_in_the_users_backward_is_theirs_with_a_line_of_ours_above(source, capsys):
    status, out, _ = run(capsys, "check", f"{source}:raises", "--input", "x=5x3")
    assert status == 1
    assert "raises: error" in out
    assert "in <lambda>" in out
    assert "lambda dy: dy @ x" in out


def test_an_error_on_import_is_shown_below_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "broken.py").write_text("import nothing_like_this\n")
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "check", "broken.py:f", "--input", "x=3")
    assert status == 2
    first, *rest = err.splitlines()
    assert first.startswith("twofold: broken.py:f cannot be loaded: ModuleNotFoundError")
    assert rest[-1] == "ModuleNotFoundError: No module named 'nothing_like_this'"
    assert not any("targets.py" in line for line in rest)


def test_a_file_that_exits_while_it_is_loaded_cannot_be_loaded(tmp_path, capsys, monkeypatch):
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "check", "exits.py:f", "--input", "x=3")
    assert status == 2
    first, *_, last = err.splitlines()
    assert first == "twofold: exits.py:f cannot be loaded: SystemExit in its own code"
    assert last == "SystemExit: 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "'nothing' is neither module:name nor file.py:name"),
        (["nothing.py:f"], "there is no file nothing.py"),
        (["no_such_module:f"], "there is no module 'no_such_module'"),
        (["{source}:squre"], "has no 'squre', did you mean square?"),
        (["{source}:number"], "is a int, not a function"),
        (["{source}:layer"], "is a layer: name the Keras layer with --against"),
        (["{source}:square", "--input", "y"], "--input y is not NAME=SPEC"),
        (["{source}:square", "--input", "y=3q3"], "'3q3' is not a spec"),
        (["{source}:square", "--dtype", "float16"], "'--dtype': 'float16' is not one of"),
        (["{source}:square", "--against", ""], "--against is empty"),
        (["{source}:square", "--input", "y=100000000x100000000"], "too large for the memory"),
        (["{source}:square", "--json", "/no/such/place/report.json"], "cannot be written"),
        (["{source}:square", "--zero", "kernel"], "zero names kernel, but the inputs are x"),
    ],
)
def test_bad_usage_is_one_line_and_leaves_with_2(source, capsys, arguments, message):
    arguments = [argument.format(source=source) for argument in arguments]
    given = [] if "y" in " ".join(arguments[1:2]) else ["--input", "x=5x3"]
    status, out, err = run(capsys, "check", *arguments, *given)
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_check_without_inputs_asks_for_them(source, capsys):
    status, _, err = run(capsys, "check", f"{source}:square")
    assert status == 2
    assert "--input NAME=SPEC" in err


def test_the_gallery_is_listed(capsys):
    status, out, _ = run(capsys, "bugs")
    assert status == 0
    assert len(out.splitlines()) > 60
    assert "softmax-diagonal-only" in out


def test_a_bug_shows_its_lines_and_verdict(capsys):
    status, out, _ = run(capsys, "bugs", "softmax-diagonal-only")
    assert status == 0
    assert "right  return y * (dy - (dy * y).sum(axis, keepdims=True))" in out
    assert "wrong  " in out
    assert "softmax: mismatch" in out


def test_a_bug_is_trained_beside_the_right_code(capsys):
    status, out, _ = run(capsys, "bugs", "bias-mean", "--train")
    assert status == 0
    right, wrong = out.splitlines()[-2:]
    assert right.split()[0] == "right"
    assert wrong.split()[0] == "wrong"
    assert right.split()[1:] != wrong.split()[1:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sofmax-diagonal-only"], "did you mean softmax-diagonal-only"),
        ([""], "''"),
        (["--train"], "--train takes the NAME of a bug"),
    ],
)
def test_unknown_bugs_are_one_line(capsys, arguments, message):
    status, _, err = run(capsys, "bugs", *arguments)
    assert status == 2
    assert message in err
