"""MNIST, digits, moons and blobs: inputs as float32 in [0, 1], integer labels, a fixed split."""

import difflib
import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

names = ["mnist", "digits", "moons", "blobs"]

# Shape and SHA-256 of array.tobytes(), all uint8, of the database of LeCun, Cortes and Burges.
MNIST: dict[str, tuple[tuple[int, ...], str]] = {
    "x_train": (
        (60000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    "y_train": ((60000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"),
    "x_test": (
        (10000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    "y_test": ((10000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
}
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


class DataError(ValueError):
    """One line: what cannot be used, what was found, what was expected, what to do."""


class Dataset(tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]):
    """The tuple x_train, y_train, x_test, y_test, with its `name` and the `reason` it is this one.

    `reason` is a phrase for the reader: "mnist from /data/mnist.npz", "digits, because …".
    """

    name: str
    reason: str

    def __new__(cls, arrays, name: str, reason: str) -> "Dataset":
        dataset = super().__new__(cls, arrays)
        dataset.name, dataset.reason = name, reason
        return dataset


def load(name: str, data: str | os.PathLike[str] | None = None) -> Dataset:
    """x_train, y_train, x_test, y_test of mnist, digits, moons, blobs, or auto.

    mnist is read from `data`, else from the environment's TWOFOLD_DATA (an .npz with Keras's keys,
    or a directory with the four IDX files), else from Keras's cache, else downloaded by Keras.
    auto is mnist where that takes a short time, else digits; a path that was named must be right.
    DataError, a ValueError of one line, for an unknown name and for a file that is not MNIST.
    """
    if name not in ("auto", *names):
        raise _unknown(name)
    if name in _BUNDLED and data is not None:
        raise DataError(f"{name} comes with scikit-learn and takes no data; data is MNIST's path")
    if name in _BUNDLED:
        return _bundled(name, f"{name} from scikit-learn")
    named = data if data is not None else os.environ.get("TWOFOLD_DATA") or None
    if named is not None:
        return _mnist(Path(os.path.expanduser(named)), "name another with --data or TWOFOLD_DATA")
    return _keras_mnist(seconds=300) if name == "mnist" else _mnist_or_digits()


def _unknown(name: str) -> DataError:
    known = ["auto", *names]
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f", did you mean {close[0]}?" if close else ","
    return DataError(f"unknown dataset {name!r}{hint} expected one of {', '.join(known)}")


def _digits():
    """1,797 images of 8 x 8 with 17 levels of grey, in scikit-learn's order."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return np.reshape(x, (-1, 8, 8)) / 16, y


def _moons():
    """1,000 points on two interleaved half circles, which no straight line separates."""
    from sklearn.datasets import make_moons

    x, y = make_moons(n_samples=1000, noise=0.1, random_state=0)
    return _unit_square(x), y


def _blobs():
    """1,000 points in two round clouds, which a straight line separates."""
    from sklearn.datasets import make_blobs

    x, y = make_blobs(n_samples=1000, centers=2, cluster_std=0.6, random_state=0)[:2]
    return _unit_square(x), y


_BUNDLED = {"digits": _digits, "moons": _moons, "blobs": _blobs}


def _unit_square(x):
    """(x - min(x)) / (max(x) - min(x)) for each coordinate."""
    return (x - np.min(x, axis=0)) / np.ptp(x, axis=0)


def _bundled(name: str, reason: str) -> Dataset:
    """The first four fifths to train on and the rest to test, in scikit-learn's order."""
    x, y = _BUNDLED[name]()
    x, y = np.asarray(x, np.float32), np.asarray(y, np.int64)
    n = len(x) * 4 // 5
    return Dataset((x[:n], y[:n], x[n:], y[n:]), name, reason)


def _mnist_or_digits() -> Dataset:
    try:
        return _keras_mnist(seconds=20)
    except DataError as error:
        return _bundled("digits", f"digits, because {error}")


def _keras_mnist(seconds: float) -> Dataset:
    """From Keras's cache, into which Keras downloads it within so many seconds."""
    path = _cache()
    if not os.path.exists(path):
        _download(path, seconds)
    return _mnist(path, "delete it, and it will be downloaded again")


def _cache() -> Path:
    """Keras's own choice: below $KERAS_HOME, else ~/.keras, else, home read-only, /tmp/.keras."""
    home = os.path.expanduser("~")
    keras = f"{home if os.access(home, os.W_OK) else '/tmp'}/.keras"
    return Path(os.path.expanduser(os.environ.get("KERAS_HOME", keras)), "datasets", "mnist.npz")


def _download(path: Path, seconds: float) -> None:
    """Keras downloads into a directory of its own; only a whole, checked file comes to `path`.

    Whether there is a network is asked first, because importing Keras takes several seconds.
    """
    try:
        _run(f"from urllib.request import urlopen; urlopen({URL!r})", seconds=5)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as home:
            _run("import keras; keras.datasets.mnist.load_data()", seconds, KERAS_HOME=home)
            os.replace(Path(home, "datasets", "mnist.npz"), path)
    except (OSError, subprocess.SubprocessError) as error:
        raise DataError(
            f"MNIST could not be downloaded ({_words(error)}); "
            "name its .npz or IDX directory with --data or TWOFOLD_DATA"
        ) from error


def _run(code: str, seconds: float, **environment: str) -> None:
    """`code` in a silent Python of its own, which can be stopped wherever it hangs."""
    subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        timeout=seconds,
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    )


def _words(error: Exception) -> str:
    """What stopped the download, or what the system or the exception itself says, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not within {error.timeout:g} seconds"
    if isinstance(error, subprocess.CalledProcessError):
        line = (error.stderr.splitlines() or [f"exit status {error.returncode}"])[-1]
        return line.rpartition(" -- ")[2].rpartition("urlopen error ")[2].rstrip(">")
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(words.split())


def _mnist(path: Path, remedy: str) -> Dataset:
    """Pixels / 255 of the verified arrays, images as (n, 28, 28)."""
    try:
        read = _read_idx if os.path.isdir(path) else _read_npz
        x_train, y_train, x_test, y_test = read(path)
    except DataError as error:
        raise DataError(f"{error}; {remedy}") from None
    x_train, x_test = x_train / np.float32(255), x_test / np.float32(255)
    y_train, y_test = y_train.astype(np.int64), y_test.astype(np.int64)
    return Dataset((x_train, y_train, x_test, y_test), "mnist", f"mnist from {path}")


@contextmanager
def _refusing(path: Path, expected: str) -> Iterator[None]:
    """Whatever zipfile, gzip and NumPy raise about a file becomes one line with its path."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except Exception as error:
        raise DataError(f"{path}: cannot be read ({_words(error)}), expected {expected}") from error


def _read_npz(path: Path) -> list[np.ndarray]:
    keys = ", ".join(MNIST)
    with _refusing(path, f"a whole .npz with {keys}"), zipfile.ZipFile(path) as archive:
        missing = [name for name in MNIST if f"{name}.npy" not in archive.namelist()]
        if missing:
            raise DataError(f"no array {', '.join(missing)}, expected the keys {keys}")
        return [_npy_array(archive, name) for name in MNIST]


def _npy_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """The array `name`, read only when its header promises the right size and no pickle."""
    with archive.open(f"{name}.npy") as stream:
        version = npy.read_magic(stream)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        _check_header(name, shape, dtype)
        stream.seek(0)
        return _checked(name, npy.read_array(stream, allow_pickle=False))


def _check_header(name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    expected, _ = MNIST[name]
    if shape != expected:
        raise DataError(f"{name} has shape {shape}, expected {expected}")
    if dtype.hasobject:
        raise DataError(f"{name} holds pickled objects, which are never loaded, expected uint8")
    if dtype.kind not in "iuf":
        raise DataError(f"{name} is {dtype}, expected uint8")


def _checked(name: str, array: np.ndarray) -> np.ndarray:
    """The array itself, once its values, its dtype and its hash are MNIST's."""
    what, largest = ("pixels", 255) if name.startswith("x") else ("labels", 9)
    if np.isnan(array).any():
        raise DataError(f"{name} has {what} that are NaN, expected 0 to {largest}")
    if array.min() < 0 or array.max() > largest:
        found = f"{what} from {array.min()} to {array.max()}"
        raise DataError(f"{name} has {found}, expected 0 to {largest}")
    if array.dtype != np.uint8:
        raise DataError(f"{name} is {array.dtype}, expected uint8")
    found, expected = hashlib.sha256(array.tobytes()).hexdigest(), MNIST[name][1]
    if found != expected:
        raise DataError(f"{name} has SHA-256 {found[:16]}…, expected {expected[:16]}… of MNIST")
    return array


def _read_idx(directory: Path) -> list[np.ndarray]:
    files = {name: _idx_file(directory, stem) for name, stem in IDX_FILES.items()}
    missing = [IDX_FILES[name] for name, path in files.items() if path is None]
    if missing:
        raise DataError(f"{directory}: no {', '.join(missing)}, expected the four IDX files or .gz")
    return [_idx_array(name, path) for name, path in files.items() if path]


def _idx_file(directory: Path, stem: str) -> Path | None:
    """The first there is of train-images-idx3-ubyte, train-images.idx3-ubyte, and both with .gz."""
    spellings = (stem, stem.replace("-idx", ".idx"))
    paths = [directory / f"{spelling}{gz}" for gz in ("", ".gz") for spelling in spellings]
    return next((path for path in paths if os.path.isfile(path)), None)


def _idx_array(name: str, path: Path) -> np.ndarray:
    """IDX: bytes 0, 0, 8 (for uint8), number of dimensions; big-endian sizes; the bytes."""
    shape, _ = MNIST[name]
    with _refusing(path, f"a whole IDX file of uint8 {shape}"), _plain(path) as stream:
        magic, expected = stream.read(4), bytes([0, 0, 8, len(shape)])
        if magic != expected:
            raise DataError(f"begins with bytes {magic.hex()}, expected {expected.hex()}")
        sizes = np.frombuffer(stream.read(4 * len(shape)), ">u4")
        _check_header(name, tuple(sizes.tolist()), np.dtype(np.uint8))
        values = stream.read(prod(shape) + 1)
        if len(values) != prod(shape):
            found = "more" if len(values) > prod(shape) else len(values)
            raise DataError(f"holds {found} bytes of {name}, expected {prod(shape)}")
        return _checked(name, np.frombuffer(values, np.uint8).reshape(shape))


def _plain(path: Path) -> gzip.GzipFile | BufferedReader:
    """The file opened, through gzip where its first bytes say so, whatever its name."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if zipped else path.open("rb")
