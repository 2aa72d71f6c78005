"""The command: what it prints, what it writes, and how it ends."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from fakes import experiment_result, pair_result, study_result

from comparisons import cli, datasets, training
from comparisons.cli import options
from comparisons.experiments import EXPERIMENTS
from comparisons.pairs import PAIRS
from comparisons.report import terminal
from comparisons.results import GOOD_VERDICTS, VERDICTS
from comparisons.studies import STUDIES

STANDS_IN = """
import signal, sys, time
from types import SimpleNamespace
from comparisons import cli, training
from comparisons.report import terminal

def train(task, progress):
    while True:
        try:
            progress(3, 10, "mlp, epoch 1 of 2")
            print("ready", file=sys.__stderr__, flush=True)
            time.sleep(30)
        except KeyboardInterrupt:
            raise training.Interrupted("interrupted after step 3 of 10") from None

# a runner in the background ignores Ctrl-C, and its children inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
terminal.start_tensorflow = lambda: None
training.prepare = lambda *a, **b: SimpleNamespace(reason="digits")
training.train = train
"""


@pytest.fixture
def runs(monkeypatch):
    """Trainings and checks that end at once; what they were asked for, and what they answer."""
    asked = SimpleNamespace(
        trainings=[], pairs=[], studies=[], verdict="match", changes={}, raises=None
    )

    def prepare(experiment, **settings):
        if isinstance(asked.raises, datasets.DataError):
            raise asked.raises
        return SimpleNamespace(
            experiment=experiment, settings=settings, reason="mnist from /data/mnist.npz"
        )

    def train(task, progress):
        experiment, settings = task.experiment, task.settings
        asked.trainings.append((experiment.name, settings))
        progress(1, 2, "half way")
        if asked.raises:
            raise asked.raises
        changes = {
            "epochs": settings["epochs"] or 2,
            "steps_per_epoch": 5,
            "seed": settings["seed"],
        }
        changes |= {"variant": experiment.variant}
        changes |= {"name": experiment.name, "dtype": settings["dtype"], "verdict": asked.verdict}
        return experiment_result(**changes | asked.changes)

    def check_pair(pair, dtype, seed):
        asked.pairs.append((pair, dtype, seed))
        if asked.raises:
            raise asked.raises
        return pair_result(pair.topic, pair.name, asked.verdict, dtype=dtype, cause="a cause")

    def run(study, dtype, seed):
        asked.studies.append((study.name, dtype, seed))
        if asked.raises:
            raise asked.raises
        return study_result(study.name, asked.verdict, dtype)

    monkeypatch.setattr(terminal, "start_tensorflow", lambda: None)
    monkeypatch.setattr(training, "prepare", prepare)
    monkeypatch.setattr(training, "train", train)
    agreement = SimpleNamespace(check_pair=check_pair)  # the real one imports TensorFlow
    monkeypatch.setitem(sys.modules, "comparisons.agreement", agreement)
    judgement = SimpleNamespace(run=run)  # so does this one
    monkeypatch.setitem(sys.modules, "comparisons.studies.judgement", judgement)
    return asked


def start(code, *arguments, **settings):
    command = [
        sys.executable,
        "-c",
        f"{code}\nfrom comparisons.cli import main; main()",
        *arguments,
    ]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **streams | settings)


def test_the_bare_command_trains_mlp_in_float32_from_seed_0(runs, capsys):
    assert cli.run(["compare"]) == 0
    assert runs.trainings == [("mlp", {"seed": 0, "epochs": None, "dtype": "float32"})]
    assert runs.pairs == []
    assert capsys.readouterr().out.splitlines()[0] == "mnist from /data/mnist.npz"


def test_a_name_is_an_experiment_a_topic_or_a_pair(runs):
    assert cli.run(["compare", "digits", "dense", "softmax", "losses.MeanSquaredError"]) == 0
    assert [name for name, _ in runs.trainings] == ["digits"]
    expected = [p for p in PAIRS if p.topic == "dense" or p.name == "softmax"]
    expected += [p for p in PAIRS if (p.topic, p.name) == ("losses", "MeanSquaredError")]
    assert [pair for pair, _, _ in runs.pairs] == 2 * expected


def test_studies_run_in_float64_unless_another_dtype_is_named(runs, capsys):
    assert cli.run(["compare", "deep-stacks", "maps", "--seed", "7"]) == 0
    assert cli.run(["compare", "xor", "--dtype", "float32"]) == 0
    asked = [("deep-stacks", "float64", 7), ("maps", "float64", 7), ("xor", "float32", 0)]
    assert runs.studies == asked
    assert (runs.trainings, runs.pairs) == ([], [])
    assert "2 studies: 2 match\n" in capsys.readouterr().out


def test_pairs_are_judged_in_both_dtypes_unless_one_is_named(runs):
    cli.run(["compare", "softmax", "--seed", "7"])
    cli.run(["compare", "softmax", "--dtype", "float32"])
    asked = dict.fromkeys((dtype, seed) for _, dtype, seed in runs.pairs)
    assert list(asked) == [("float64", 7), ("float32", 7), ("float32", 0)]


def test_a_pair_of_one_dtype_is_judged_once(runs):
    single = next(pair for pair in PAIRS if pair.dtype)
    cli.run(["compare", f"{single.topic}.{single.name}"])
    assert [dtype for pair, dtype, _ in runs.pairs if pair is single] == [single.dtype]


def test_all_runs_everything(runs, capsys):
    assert cli.run(["compare", "--all", "--epochs", "1"]) == 0
    assert [name for name, _ in runs.trainings] == [row.name for row in EXPERIMENTS]
    assert [p for p, dtype, _ in runs.pairs if p.dtype in (None, dtype)] == [
        *(pair for pair in PAIRS if pair.dtype != "float32"),
        *(pair for pair in PAIRS if pair.dtype != "float64"),
    ]
    assert [name for name, *_ in runs.studies] == [study.name for study in STUDIES]
    assert (
        f"\n{len(EXPERIMENTS)} experiments: {len(EXPERIMENTS)} match\n" in capsys.readouterr().out
    )


def test_data_is_a_name_or_a_path(runs, tmp_path):
    cli.run(["compare", "--data", "digits"])
    cli.run(["compare", "--data", str(tmp_path)])
    named, path = (settings for _, settings in runs.trainings)
    assert (named["dataset"], "data" in named) == ("digits", False)
    assert (path["data"], "dataset" in path) == (str(tmp_path), False)


def test_with_all_data_is_for_experiments_that_may_take_mnist(runs, tmp_path):
    cli.run(["compare", "--all", "--data", str(tmp_path)])
    takes = {row.name: row.dataset in ("auto", "mnist") for row in EXPERIMENTS}
    assert {name: "data" in settings for name, settings in runs.trainings} == takes
    assert len(set(takes.values())) == 2


def test_the_help_names_every_data_set():
    assert f"auto, {', '.join(datasets.names)}" in options.DATA_HELP


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("name", ["mlp", "softmax", "maps"])
def test_the_exit_status_follows_the_verdict(runs, name, verdict, capsys):
    runs.verdict = verdict
    assert cli.run(["compare", name]) == (0 if verdict in GOOD_VERDICTS else 1)
    assert verdict in capsys.readouterr().out


def test_a_failure_prints_its_causes_and_the_command_that_reproduces_it(runs, capsys):
    runs.verdict, runs.changes = "mismatch", {"causes": ["the gradient is twice too large"]}
    cli.run(["compare", "mlp", "relu", "--seed", "3", "--data", "moons"])
    out = capsys.readouterr().out
    assert "- the gradient is twice too large" in out
    assert "twofold compare mlp --dtype float32 --seed 3 --epochs 2 --data moons\n" in out
    assert "- a cause" in out
    assert "twofold compare activations.relu --dtype float64 --seed 3\n" in out


def test_the_command_of_a_run_names_the_data_set_that_auto_chose(runs, capsys):
    runs.changes = {"dataset": "digits"}
    cli.run(["compare"])
    assert capsys.readouterr().out.endswith("--epochs 2 --data digits\n\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "mpl"], "'mpl', did you mean mlp?"),
        (["compare", "xyzzyx"], "'xyzzyx', `twofold list`"),
        (["bench", "softmax"], "experiment 'softmax'"),
        (["compare", "--dtype", "float16"], "'--dtype': 'float16' is not one of 'float32'"),
        (["compare", "--epochs", "0"], "0 is not a whole number from 1"),
        (["compare", "--epochs", "-3"], "-3 is not a whole number from 1"),
        (["compare", "--epochs", "many"], "many is not a whole number"),
        (["compare", "--seed", "-1"], "-1 is not a whole number from 0"),
        (["compare", "--seed", str(2**32)], f"{2**32} is not a whole number from 0"),
        (["bench", "--rounds", "0"], "0 is not a whole number from 1"),
        (["compare", "--data", "mnits"], "mnits: no such data set or file, did you mean mnist?"),
        (["compare", "--data", "/no/file.npz"], "/no/file.npz: no such data set or file"),
        (["compare", "--json", "/no/file"], "--json /no/file cannot be written (/no: No such"),
        (["compare", "--json", "."], "--json .: not a file"),
        (["compare", "--plots", "/no/such/directory"], "--plots /no/such/directory cannot"),
        (["compare", "--plots", __file__], "cannot be written"),
        (["bench", "--json", "/no/file"], "--json /no/file cannot be written"),
        (["compare", "softmax", "--epochs", "2"], "--data and --epochs are for experiments"),
        (["compare", "bowl", "--data", "digits"], "--data and --epochs are for experiments"),
        (["compare", "softmax", "--plots", "."], "--plots is for experiments and studies"),
        (["compare", "deep-stack"], "did you mean deep-stacks?"),
        (["compare", "MLP"], "'MLP', did you mean mlp?"),
        (["compare", "meansquarederror"], "did you mean MeanSquaredError?"),
        (["compare", "--all", "relu", "nosuch"], "--all is everything; leave out relu nosuch, or"),
        (["compare", "--data", ""], "--data '': no such data set or file"),
        (["compare", "--plots", ""], "'--plots': it is empty, expected a path"),
        (["compare", "--json", ""], "'--json': it is empty, expected a path"),
        (["show", ""], "the NAME is empty"),
        (["compare", "--epoch", "2"], "--epoch"),
        (["compair"], "Did you mean 'compare'?"),
    ],
)
def test_bad_usage_is_one_line_that_names_it(runs, arguments, words, capsys):
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("twofold: ")
    assert err.count("\n") == 1
    assert words in err
    assert runs.trainings == []


def test_bad_data_is_one_line_with_status_2(runs, tmp_path, capsys):
    runs.raises = datasets.DataError("mnist.npz: y_train has labels from 0 to 12, expected 0 to 9")
    assert cli.run(["compare", "--json", str(tmp_path / "r.json")]) == 2
    assert capsys.readouterr().err == f"twofold: {runs.raises}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_crash_shows_its_traceback_and_asks_for_a_report(runs, capsys):
    runs.raises = RuntimeError("a fault of our own")
    assert cli.run(["compare"]) == 3
    *_, error, request = capsys.readouterr().err.splitlines()
    assert error == "RuntimeError: a fault of our own"
    assert "please report it" in request


def test_json_holds_the_record_and_plots_the_pictures(runs, tmp_path):
    file, directory = tmp_path / "results.json", tmp_path / "plots"
    assert cli.run(["compare", "mlp", "relu", "--json", str(file), "--plots", str(directory)]) == 0
    record = json.loads(file.read_text())
    assert [row["name"] for row in record["experiments"]] == ["mlp"]
    assert record["experiments"][0]["command"].startswith("twofold compare mlp ")
    assert {row["name"] for row in record["pairs"]} == {"relu"}
    assert sorted(path.suffix for path in directory.iterdir()) == [".png"] * 3


def test_a_link_is_written_through_and_nothing_but_files_is_replaced(runs, tmp_path, capsys):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    assert cli.run(["compare", "--json", str(link)]) == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["experiments"]
    assert cli.run(["compare", "--json", os.devnull]) == 2


@pytest.mark.parametrize("name", ["mlp", "relu", "maps"])
def test_an_interrupted_run_says_what_it_had_and_writes_nothing(runs, name, tmp_path, capsys):
    runs.raises = training.Interrupted("interrupted after step 3 of 10")
    assert cli.run(["compare", name, "--json", str(tmp_path / "results.json")]) == 130
    err = capsys.readouterr().err
    checks = 2 * sum(pair.name == "relu" for pair in PAIRS)
    had = {
        "mlp": "step 3 of 10",
        "relu": f"0 of {checks} checks of pairs",
        "maps": "0 of 1 studies",
    }
    assert err == f"twofold: interrupted after {had[name]}; no file is left half written\n"
    assert list(tmp_path.iterdir()) == []


def test_control_c_ends_a_running_comparison_with_one_line(tmp_path):
    process = start(STANDS_IN, "compare", "--json", "results.json", cwd=tmp_path)
    assert process.stderr.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "digits\n")
    assert err == "twofold: interrupted after step 3 of 10; no file is left half written\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--help"]])
def test_a_closed_pipe_is_no_error(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    process = start("", *arguments, stdout=writer)
    os.close(writer)
    assert (process.communicate()[1], process.returncode) == ("", 0)


def test_a_reader_that_has_gone_does_not_keep_the_files_from_being_written(runs, tmp_path, capfd):
    reader, writer = os.pipe()
    os.close(reader)
    stdout = os.dup(1)
    os.dup2(writer, 1)
    try:
        status = cli.run(["compare", "mlp", "digits", "--json", str(tmp_path / "r.json")])
    finally:
        os.dup2(stdout, 1)
    assert status == 0
    assert len(json.loads((tmp_path / "r.json").read_text())["experiments"]) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--help"]])
def test_output_that_cannot_be_written_is_one_line_with_status_2(arguments):
    with open("/dev/full", "w") as full:
        process = start("", *arguments, stdout=full)
        err = process.communicate()[1]
    assert process.returncode == 2
    assert err == "twofold: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_output_is_one_line_with_status_2(closed):
    command = [sys.executable, "-c", "from comparisons.cli import main; main()", "list"]
    redirected = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *command]
    done = subprocess.run(redirected, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout + done.stderr == "twofold: standard output or standard error is closed\n"


def test_letters_that_the_output_has_not_are_replaced():
    process = start("", "bugs", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "The gradient of the query is ?d times too large." in out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["compare", "--help"], ["compare", "mpl"]]
)
def test_what_needs_no_training_imports_nothing_heavy(arguments):
    heavy = {"tensorflow", "keras", "numpy", "sklearn", "matplotlib", "pandas"}
    code = f"""
import sys
from comparisons import cli
cli.run({arguments!r})
print(sorted({heavy!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_list_shows_every_name(capsys):
    assert cli.run(["list"]) == 0
    words = set(re.split(r"[\s,]+", capsys.readouterr().out))
    names = (
        {row.name for row in (*EXPERIMENTS, *STUDIES)}
        | {p.topic for p in PAIRS}
        | {p.name for p in PAIRS}
    )
    assert names <= words
    assert cli.run(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed["experiments"]] == [row.name for row in EXPERIMENTS]
    assert [row["name"] for row in listed["studies"]] == [study.name for study in STUDIES]
    assert [row["case"] for row in listed["pairs"]] == [pair.case for pair in PAIRS]


def test_names_complete():
    assert options.complete("mlp") == [
        row.name for row in EXPERIMENTS if row.name.startswith("mlp")
    ]
    assert options.complete("softma") == ["softmax"]
    assert options.complete("blobs") == ["blobs-and-moons"]
    assert options.complete_experiment("soft") == []


def test_the_version_is_that_of_the_installed_package(capsys):
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"twofold {version('twofold')}\n"


def test_the_bare_program_shows_its_help(capsys):
    assert cli.run([]) == 0
    assert "compare" in capsys.readouterr().out


def on_a_terminal(code, *arguments, **environment):
    """What the command shows where standard output and error are a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    variables = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | environment
    process = start(code, *arguments, stdout=theirs, stderr=theirs, env=variables)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as stream:
        while chunk := _read(stream):
            shown += chunk
            if b"ready" in chunk:
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
    process.wait()
    return shown.decode()


def _read(stream):
    try:
        return stream.read(4096)
    except OSError:  # how Linux ends a terminal
        return b""


def test_a_terminal_shows_progress_and_a_pipe_does_not():
    assert "mlp, epoch 1 of 2" in on_a_terminal(STANDS_IN, "compare")
    process = start(STANDS_IN, "compare")
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert "epoch" not in process.communicate()[1]


def test_colours_are_for_terminals_that_want_them(runs, capsys):
    colour = re.compile(r"\x1b\[[\d;]*3[0-7]")
    print_table = STANDS_IN + "sys.path.insert(0, 'tests')\nfrom fakes import experiment_result\n"
    print_table += "training.train = lambda *a, **b: experiment_result(steps_per_epoch=5)\n"
    assert colour.search(on_a_terminal(print_table, "compare"))
    assert not colour.search(on_a_terminal(print_table, "compare", NO_COLOR="1"))
    cli.run(["compare"])
    assert "\x1b" not in "".join(capsys.readouterr())


def test_pipes_get_names_and_sentences_in_one_piece(capsys):
    weight = "bidirectional_transformer_encoder_17/self_attention/query/kernel"
    gradient = experiment_result().gradients[0].__class__(weight, 1e-16, 1e-16, "match")
    cause = "a sentence of many words " * 20
    reason = "mnist from /data/[bold]/:warning:/mnist.npz"
    result = experiment_result(gradients=[gradient], causes=[cause])
    output = terminal.Output()
    output.print(reason)
    terminal.experiment(output, result, "about")
    out = capsys.readouterr().out
    assert f"  {weight}  " in out
    assert f"  - {cause.strip()}\n" in out
    assert out.startswith(reason)


def tables(columns, monkeypatch, capsys):
    """What is printed in so many columns, but the facts and causes below the tables."""
    monkeypatch.setattr(terminal, "ENDLESS", columns)
    output, result = terminal.Output(), experiment_result(variant="stddev 0.01, without")
    monkeypatch.setattr(terminal, "_facts", lambda result: {})
    terminal.experiment(output, result, "about")
    terminal.variants(output, [result], None)
    terminal.pairs(output, [pair_result("losses", "MeanSquaredError", case="axis -1")], str)
    terminal.study(output, study_result(), "about", "")
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 40, 20])
def test_a_narrow_terminal_cuts_no_name_and_no_number(columns, monkeypatch, capsys):
    wide = tables(10_000, monkeypatch, capsys)
    narrow = tables(columns, monkeypatch, capsys)
    assert narrow.split() == wide.split()


def test_a_narrow_terminal_folds_texts_before_its_lines_run_on(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "ENDLESS", 64)
    rows = [pair_result(case="many words on the case " * 5)]
    terminal.pairs(terminal.Output(), rows, str)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 64
    assert "  1.1e-16  2.2e-16  match" in lines[1]


def test_the_table_of_a_run_is_compact_and_says_what_counts(capsys):
    terminal.experiment(terminal.Output(), experiment_result(), "784-512 relu-10 softmax")
    out = capsys.readouterr().out
    assert out.count("\n") <= 32
    for words in (
        "mlp: 784-512 relu-10 softmax\nfloat32, seed 0, 5 epochs, 2,345 steps of 128\n",
        "identical, 407,050 of 407,050",
        "3.2e-03 at most, where rounding alone parts them by 2.9e-03",
        "9,987 of 10,000 test predictions agree",
        "step 781, sample 57",
        "yes, the loss fell",
        "match, within rounding\n",
    ):
        assert words in out
    assert re.search(r"test +0.065200 +0.065200 +0.065200 +0.9811 +0.9811 +0.9811\n", out)
    assert re.search(r"seconds +3.1 +4.4 +5.0 *\n", out)
    assert re.search(r"dense/bias +0 +2.1e-07 +identical\n", out)


def test_a_run_that_failed_shows_how_far_it_came(capsys):
    result = experiment_result(verdict="mismatch", causes=["step 3: scratch raised an error"])
    result.samples.outputs.clear()
    result.curves.history = {"scratch": {}, "reference": {}, "keras": {}}
    terminal.experiment(terminal.Output(), result, "about")
    out = capsys.readouterr().out
    assert re.search(r"verdict *\n  dense/kernel .*match", out)
    assert "mismatch\n  - step 3: scratch raised an error\n" in out
    assert "test predictions" not in out


def test_many_epochs_are_shown_in_part(capsys):
    terminal.experiment(terminal.Output(), experiment_result(epochs=30, steps_per_epoch=5), "")
    shown = re.findall(r"^  (?:epoch (\d+)|(…))", capsys.readouterr().out, re.MULTILINE)
    assert [number or gap for number, gap in shown] == ["1", "2", "3", "…", "27", "28", "29", "30"]


def test_initial_weights_that_are_not_identical_are_counted(capsys):
    weights = {"identical": 400, "total": 407, "max_difference": 1.2e-7, "largest": 1.0}
    terminal.experiment(terminal.Output(), experiment_result(initial_weights=weights), "")
    assert "400 of 407 identical, the others within 1.2e-07" in capsys.readouterr().out


def test_pairs_are_counted_by_verdict(capsys):
    rows = [pair_result(verdict="identical"), pair_result(), pair_result(verdict="vacuous")]
    terminal.pairs(terminal.Output(), rows, lambda row: "twofold compare it")
    out = capsys.readouterr().out
    assert out.endswith("3 pairs: 1 identical, 1 match, 1 vacuous\n")
    assert out.count("twofold compare it") == 1


def test_chatter_is_held_back_unless_something_fails(capfd):
    with terminal.quiet_stderr():
        os.write(2, b"I0000 port.cc] oneDNN custom operations are on\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError):
        _fail_quietly()
    assert capfd.readouterr().err == "libtensorflow: no such file\n"


@terminal.quiet_stderr()
def _fail_quietly():
    os.write(2, b"libtensorflow: no such file\n")
    raise ImportError


def test_variants_are_rows_of_one_table_with_their_average(runs, capsys):
    assert cli.run(["compare", "ensemble"]) == 0
    out = capsys.readouterr().out
    assert [name for name, _ in runs.trainings] == ["ensemble"] * 5
    assert out.count("mnist from /data/mnist.npz") == 1
    rows = [line for line in out.splitlines() if line.startswith("  member")]
    assert [row.split()[1] for row in rows] == ["1", "2", "3", "4", "5"]
    assert "their average" in out


def test_a_variant_that_fails_is_told_in_full(runs, capsys):
    runs.verdict = "mismatch"
    assert cli.run(["compare", "initial-weights"]) == 1
    assert capsys.readouterr().out.count("twofold compare initial-weights") == 3
