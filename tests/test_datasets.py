"""datasets.load: where MNIST comes from, what is refused in which words, what replaces it."""

import errno
import gzip
import hashlib
import io
import os
import pickle
import socket
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from comparisons import datasets
from comparisons.datasets import DataError, load

REAL_MNIST = os.environ.get("TWOFOLD_DATA")
REAL_RUN = datasets._run


@pytest.fixture(autouse=True)
def keras_home(tmp_path, monkeypatch):
    """An empty cache, and no network to fill it from."""

    def run_offline(code, seconds, **environment):
        raise subprocess.CalledProcessError(1, code, stderr="<urlopen error no network>")

    monkeypatch.delenv("TWOFOLD_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(datasets, "_run", run_offline)
    return tmp_path / "keras"


@pytest.fixture
def arrays(monkeypatch):
    """A small data set that passes for MNIST while the test runs."""
    rng = np.random.default_rng(0)
    small = {
        "x_train": rng.integers(0, 256, (30, 28, 28), dtype=np.uint8),
        "y_train": rng.integers(0, 10, 30, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "y_test": rng.integers(0, 10, 20, dtype=np.uint8),
    }
    hashes = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in small.items()}
    table = {name: (array.shape, hashes[name]) for name, array in small.items()}
    monkeypatch.setattr(datasets, "MNIST", table)
    return small


def save(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def save_idx(directory, arrays, separator="-", zipped=False):
    directory.mkdir()
    for name, array in arrays.items():
        stem = datasets.IDX_FILES[name].replace("-idx", f"{separator}idx")
        content = gzip.compress(idx(array)) if zipped else idx(array)
        (directory / (f"{stem}.gz" if zipped else stem)).write_bytes(content)
    return directory


def refusal(path, *expected, name="mnist"):
    """The one line with which `path` is refused, once it has the expected parts."""
    with pytest.raises(DataError) as caught:
        load(name, path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    for part in (*expected, "expected", "name another with --data or TWOFOLD_DATA"):
        assert part in line
    return line


def assert_loads(dataset, arrays):
    x_train, y_train, x_test, y_test = dataset
    assert np.array_equal(x_train, arrays["x_train"].astype(np.float32) / 255)
    assert np.array_equal(x_test, arrays["x_test"].astype(np.float32) / 255)
    assert np.array_equal(y_train, arrays["y_train"])
    assert np.array_equal(y_test, arrays["y_test"])
    assert [array.dtype for array in dataset] == [np.float32, np.int64] * 2
    assert dataset.name == "mnist"


def test_npz_named_by_data(tmp_path, arrays):
    path = save(tmp_path / "any-name.npz", arrays)
    dataset = load("mnist", path)
    assert_loads(dataset, arrays)
    assert dataset.reason == f"mnist from {path}"


def test_npz_named_by_the_environment(tmp_path, arrays, monkeypatch):
    save(tmp_path / "mnist.npz", arrays)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TWOFOLD_DATA", "~/mnist.npz")
    assert_loads(load("mnist"), arrays)
    assert_loads(load("auto"), arrays)


def test_data_goes_before_the_environment_and_that_before_the_cache(
    tmp_path, arrays, monkeypatch, keras_home
):
    cached = save(keras_home / "datasets" / "mnist.npz", arrays)
    monkeypatch.setenv("TWOFOLD_DATA", "")
    assert load("mnist").reason == f"mnist from {cached}"
    environment = save(tmp_path / "environment.npz", arrays)
    monkeypatch.setenv("TWOFOLD_DATA", str(environment))
    assert load("mnist").reason == f"mnist from {environment}"
    named = save(tmp_path / "named.npz", arrays)
    assert load("mnist", str(named)).reason == f"mnist from {named}"


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("zipped", [False, True])
def test_idx_round_trip(tmp_path, arrays, separator, zipped):
    directory = save_idx(tmp_path / "idx", arrays, separator, zipped)
    assert_loads(load("mnist", directory), arrays)


def test_idx_is_unzipped_by_content_not_by_name(tmp_path, arrays):
    directory = save_idx(tmp_path / "idx", arrays)
    for path in directory.iterdir():
        path.rename(f"{path}.gz")
    assert_loads(load("mnist", directory), arrays)


def test_real_mnist():
    if not REAL_MNIST:
        pytest.skip("TWOFOLD_DATA does not point to MNIST")
    x_train, y_train, x_test, y_test = load("mnist", REAL_MNIST)
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert (x_train.min(), x_train.max(), x_train.dtype) == (0, 1, np.float32)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_missing_file_is_refused(tmp_path):
    refusal(tmp_path / "none.npz", "No such file")


def test_unreadable_names_are_refused():
    refusal("x" * 5000, "File name too long")
    refusal("nul\0byte", "embedded null byte")
    refusal("", name="auto")


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", pickle.dumps([1, 2])])
def test_what_is_no_zip_is_refused(tmp_path, content):
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    refusal(path, "not a zip file", "a whole .npz with x_train, y_train, x_test, y_test")


def test_every_truncation_of_an_npz_is_refused(tmp_path, arrays):
    whole = save(tmp_path / "whole.npz", arrays).read_bytes()
    path = tmp_path / "part.npz"
    for size in range(0, len(whole), len(whole) // 50):
        path.write_bytes(whole[:size])
        refusal(path, "cannot be read")


def test_no_damaged_byte_changes_the_data(tmp_path, arrays):
    whole = save(tmp_path / "whole.npz", arrays).read_bytes()
    path = tmp_path / "damaged.npz"
    refused = 0
    for position in range(0, len(whole), len(whole) // 200):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        path.write_bytes(damaged)
        try:
            assert_loads(load("mnist", path), arrays)
        except DataError:
            refused += 1
    assert refused > 0


def test_missing_keys_are_named(tmp_path, arrays):
    del arrays["y_train"], arrays["y_test"]
    refusal(save(tmp_path / "mnist.npz", arrays), "no array y_train, y_test")


WRONG_ARRAYS = [
    ("x_train", lambda x: x[1:], "x_train has shape (29, 28, 28), expected (30, 28, 28)"),
    ("x_test", lambda x: x.reshape(20, 784), "x_test has shape (20, 784), expected (20, 28, 28)"),
    ("y_test", lambda y: np.eye(10)[y], "y_test has shape (20, 10), expected (20,)"),
    (
        "y_train",
        lambda y: y.astype(object),
        "y_train holds pickled objects, which are never loaded",
    ),
    ("y_train", lambda y: y.astype(str), "y_train is <U3, expected uint8"),
    ("y_train", lambda y: y.astype(np.int64), "y_train is int64, expected uint8"),
    ("y_train", lambda y: y + np.uint8(1), "y_train has labels from 1 to 10, expected 0 to 9"),
    ("y_test", lambda y: y - np.int64(1), "y_test has labels from -1 to 8, expected 0 to 9"),
    ("x_train", lambda x: np.where(x, x, np.nan), "x_train has pixels that are NaN"),
    ("x_train", lambda x: np.where(x, x, np.inf), "x_train has pixels from 1.0 to inf, expected 0"),
    ("x_test", lambda x: x / np.float32(255), "x_test is float32, expected uint8"),
    ("x_test", lambda x: x[::-1], "x_test has SHA-256"),
    ("y_train", lambda y: y[::-1], "y_train has SHA-256"),
]


@pytest.mark.parametrize(("name", "change", "found"), WRONG_ARRAYS)
def test_wrong_arrays_are_refused(tmp_path, arrays, name, change, found):
    arrays[name] = change(arrays[name])
    refusal(save(tmp_path / "mnist.npz", arrays), found)


def test_the_hash_is_told_with_the_one_expected(tmp_path, arrays):
    expected = datasets.MNIST["x_train"][1]
    arrays["x_train"][3, 14, 14] ^= 1
    found = hashlib.sha256(arrays["x_train"].tobytes()).hexdigest()
    refusal(save(tmp_path / "mnist.npz", arrays), f"{found[:16]}…, expected {expected[:16]}…")


class WritesAFile:
    """What a hostile pickle does when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_inside_is_never_run(tmp_path, arrays, monkeypatch):
    trace = tmp_path / "trace"
    arrays["y_train"] = np.array([WritesAFile(str(trace))] * 30)
    path = save(tmp_path / "mnist.npz", arrays)
    refusal(path, "y_train holds pickled objects")
    monkeypatch.setattr(datasets, "_check_header", lambda name, shape, dtype: None)
    refusal(path, "Object arrays cannot be loaded when allow_pickle=False")
    assert not trace.exists()


def test_an_absurd_shape_is_refused_before_memory_is_asked_for(tmp_path, arrays):
    header = io.BytesIO()
    absurd = {"descr": "|u1", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(header, absurd)
    path = save(tmp_path / "mnist.npz", {name: arrays[name] for name in arrays if name != "y_test"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y_test.npy", header.getvalue())
    refusal(path, "y_test has shape (1000000000000000,)")


def test_a_directory_without_idx_files_is_refused(tmp_path, arrays):
    refusal(tmp_path, "no train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images")
    directory = save_idx(tmp_path / "idx", arrays)
    (directory / "t10k-labels-idx1-ubyte").unlink()
    refusal(directory, "no t10k-labels-idx1-ubyte,")


@pytest.mark.parametrize("zipped", [False, True])
def test_every_truncation_of_an_idx_file_is_refused(tmp_path, arrays, zipped):
    directory = save_idx(tmp_path / "idx", arrays, zipped=zipped)
    path = next(directory.glob("train-images*"))
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 50):
        path.write_bytes(whole[:size])
        assert str(path) in refusal(directory)


WRONG_IDX = [
    (lambda x: b"\0\0\x0d" + x[3:], "begins with bytes 00000d03, expected 00000803"),
    (lambda x: x[:7] + b"\x1f" + x[8:], "x_train has shape (31, 28, 28), expected (30, 28, 28)"),
    (lambda x: x[:4] + b"\xff" * 12 + x[16:], "has shape (4294967295, 4294967295, 4294967295)"),
    (lambda x: x[:-1], "holds 23519 bytes of x_train, expected 23520"),
    (lambda x: x + bytes(10**7), "holds more bytes of x_train, expected 23520"),
    (lambda x: x[:-1] + bytes([x[-1] ^ 1]), "x_train has SHA-256"),
]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("change", "found"), WRONG_IDX)
def test_wrong_idx_files_are_refused(tmp_path, arrays, change, found, zipped):
    directory = save_idx(tmp_path / "idx", arrays, zipped=zipped)
    content = change(idx(arrays["x_train"]))
    path = next(directory.glob("train-images*"))
    path.write_bytes(gzip.compress(content) if zipped else content)
    assert str(path) in refusal(directory, found)


def test_a_named_file_that_is_wrong_is_never_replaced(tmp_path, arrays, monkeypatch, keras_home):
    save(keras_home / "datasets" / "mnist.npz", arrays)
    refusal(tmp_path / "none.npz", name="auto")
    monkeypatch.setenv("TWOFOLD_DATA", str(tmp_path / "none.npz"))
    with pytest.raises(DataError, match=r"none\.npz"):
        load("auto")


def test_a_partial_file_in_the_cache_is_never_used(arrays, keras_home):
    path = save(keras_home / "datasets" / "mnist.npz", arrays)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read") as caught:
        load("mnist")
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).endswith("delete it, and it will be downloaded again")
    auto = load("auto")
    assert auto.name == "digits"
    assert auto.reason == f"digits, because {caught.value}"


def test_the_cache_is_where_keras_keeps_it(tmp_path, monkeypatch):
    assert datasets._cache() == tmp_path / "keras" / "datasets" / "mnist.npz"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert datasets._cache() == tmp_path / ".keras" / "datasets" / "mnist.npz"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert str(datasets._cache()) == "/tmp/.keras/datasets/mnist.npz"


def test_without_a_network_mnist_is_refused_and_auto_is_digits():
    with pytest.raises(DataError, match=r"^MNIST could not be downloaded \(no network\); name its"):
        load("mnist")
    dataset = load("auto")
    assert dataset.name == "digits"
    assert dataset.reason.startswith("digits, because MNIST could not be downloaded (no network);")
    assert all(map(np.array_equal, dataset, load("digits")))


@pytest.fixture
def proxy(monkeypatch):
    """A proxy on this machine that every download has to go through, and that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for variable in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield server


def test_a_network_that_is_down_is_noticed_at_once(proxy, monkeypatch):
    monkeypatch.setattr(datasets, "_run", REAL_RUN)
    proxy.close()
    start = time.monotonic()
    assert "Connection refused" in load("auto").reason
    assert time.monotonic() - start < 5


def test_a_network_that_hangs_is_cut_off(proxy, monkeypatch):
    monkeypatch.setattr(
        datasets, "_run", lambda code, seconds, **environment: REAL_RUN(code, 0.5, **environment)
    )
    assert "MNIST could not be downloaded (not within 0.5 seconds)" in load("auto").reason


@pytest.mark.slow
def test_keras_downloads_silently_into_the_directory_it_is_given(proxy, tmp_path, capfd):
    proxy.close()
    with pytest.raises(subprocess.CalledProcessError) as caught:
        REAL_RUN(
            "import keras; keras.datasets.mnist.load_data()", seconds=300, KERAS_HOME=str(tmp_path)
        )
    assert datasets._words(caught.value) == f"[Errno {errno.ECONNREFUSED}] Connection refused"
    assert datasets.URL in caught.value.stderr
    assert (tmp_path / "datasets").is_dir()
    assert capfd.readouterr() == ("", "")


def keras_that_downloads(arrays, stops_halfway):
    def run(code, seconds, KERAS_HOME=None):
        if KERAS_HOME:
            path = save(datasets.Path(KERAS_HOME, "datasets", "mnist.npz"), arrays)
            if stops_halfway:
                path.write_bytes(path.read_bytes()[:1000])
                raise subprocess.TimeoutExpired(code, seconds)

    return run


def test_a_download_comes_to_the_cache_whole(arrays, monkeypatch, keras_home):
    run_offline = datasets._run
    monkeypatch.setattr(datasets, "_run", keras_that_downloads(arrays, stops_halfway=False))
    assert_loads(load("auto"), arrays)
    assert os.listdir(keras_home / "datasets") == ["mnist.npz"]
    monkeypatch.setattr(datasets, "_run", run_offline)
    assert_loads(load("mnist"), arrays)


def test_half_a_download_never_comes_to_the_cache(arrays, monkeypatch, keras_home):
    monkeypatch.setattr(datasets, "_run", keras_that_downloads(arrays, stops_halfway=True))
    with pytest.raises(DataError, match=r"could not be downloaded \(not within 300 seconds\)"):
        load("mnist")
    assert "MNIST could not be downloaded (not within 20 seconds)" in load("auto").reason
    assert os.listdir(keras_home / "datasets") == []


def test_a_cache_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(datasets, "_run", lambda code, seconds, **environment: None)
    with pytest.raises(DataError, match=r"could not be downloaded \(Not a directory\)"):
        load("mnist")


BUNDLED = [
    ("digits", 1437, 360, (8, 8), 10),
    ("moons", 800, 200, (2,), 2),
    ("blobs", 800, 200, (2,), 2),
]


@pytest.mark.parametrize(("name", "train", "test", "shape", "classes"), BUNDLED)
def test_bundled_sets(name, train, test, shape, classes):
    dataset = load(name)
    x_train, y_train, x_test, y_test = dataset
    assert (x_train.shape, x_test.shape) == ((train, *shape), (test, *shape))
    assert (y_train.shape, y_test.shape) == ((train,), (test,))
    assert [array.dtype for array in dataset] == [np.float32, np.int64] * 2
    assert min(x_train.min(), x_test.min()) == 0
    assert max(x_train.max(), x_test.max()) == 1
    assert set(y_train) == set(y_test) == set(range(classes))
    assert (dataset.name, dataset.reason) == (name, f"{name} from scikit-learn")
    assert all(map(np.array_equal, dataset, load(name)))


def test_digits_are_sixteenths():
    x_train, y_train, _, _ = load("digits")
    assert np.array_equal(x_train * 16, np.round(x_train * 16))
    assert (x_train[0, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert y_train[:10].tolist() == list(range(10))


def linear_accuracy(x_train, y_train, x_test, y_test):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1e3).fit(x_train, y_train).score(x_test, y_test)


def test_a_line_separates_the_blobs_and_not_the_moons():
    assert linear_accuracy(*load("blobs")) == 1
    assert linear_accuracy(*load("moons")) < 0.95


def test_data_is_refused_where_it_means_nothing(tmp_path):
    with pytest.raises(DataError, match="digits comes with scikit-learn and takes no data"):
        load("digits", tmp_path)


def test_unknown_names_are_refused_with_a_suggestion():
    with pytest.raises(DataError, match=r"unknown dataset 'mnits', did you mean mnist\?"):
        load("mnits")
    with pytest.raises(DataError, match="unknown dataset 'cifar', expected one of auto, mnist"):
        load("cifar")


def test_every_name_loads(tmp_path, arrays, keras_home):
    save(keras_home / "datasets" / "mnist.npz", arrays)
    assert [load(name).name for name in datasets.names] == ["mnist", "digits", "moons", "blobs"]


def test_the_module_is_light():
    code = f"import runpy, sys; runpy.run_path({datasets.__file__!r}); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert not {"sklearn", "scipy", "keras", "tensorflow", "pandas"} & set(loaded.stdout.split())
