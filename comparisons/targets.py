"""What `twofold check` is pointed at, module:name or file.py:name, loaded and checked."""

import difflib
import importlib
import importlib.machinery
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from .gradients import GradientReport, check_custom_gradient, check_gradients, check_layer
from .gradients.custom import undecorated


class TargetError(ValueError):
    """One line on a target that cannot be loaded; `trace` is the user's own traceback, if any."""

    def __init__(self, line: str, trace: str = ""):
        super().__init__(line)
        self.trace = trace


def load(target: str) -> Any:
    """The object that module:name or file.py:name names. TargetError where there is none.

    The current directory, or the file's, comes last on the import path, so that a file of the
    user's hides no installed module.
    """
    place, separator, name = target.rpartition(":")
    if not (place and separator and name):
        raise TargetError(f"{target!r} is neither module:name nor file.py:name")
    module = _file(Path(place), target) if place.endswith(".py") else _module(place, target)
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise TargetError(f"{target}: {place} has no {part!r}{_did_you_mean(part, found)}")
        found = getattr(found, part)
    return found


def check(target: str, against: str | None, inputs: dict[str, Any], **settings) -> GradientReport:
    """The report of a function, a (forward, backward) pair, a layer or a tf.custom_gradient."""
    subject, reference = load(target), load(against) if against else None
    settings["name"] = target.rpartition(":")[2]
    if isinstance(subject, type):
        raise TargetError(f"{target} is a class; name an instance of it, or a function")
    if hasattr(subject, "forward") and hasattr(subject, "trainable_weights"):
        return _check_layer(subject, reference, target, inputs, settings)
    if reference is None and callable(subject) and undecorated(subject):
        return check_custom_gradient(subject, inputs, **settings)
    if isinstance(subject, tuple) and len(subject) == 2:
        settings |= {"forward": subject[0], "backward": subject[1]}
        return check_gradients(None, reference, inputs, **settings)
    if not callable(subject):
        kind = type(subject).__name__
        raise TargetError(f"{target} is a {kind}, not a function, (forward, backward) or a layer")
    return check_gradients(subject, reference, inputs, **settings)


def _check_layer(layer, reference, target, inputs, settings):
    if reference is None:
        raise TargetError(f"{target} is a layer: name the Keras layer with --against")
    shape = inputs if len(inputs) > 1 else next(iter(inputs.values()), None)
    return check_layer(layer, reference, shape, **settings)


def _file(path: Path, target: str) -> ModuleType:
    if not path.is_file():
        raise TargetError(f"{target}: there is no file {path}")
    if str(path.parent.resolve()) not in sys.path:
        sys.path.append(str(path.parent.resolve()))
    name = f"twofold_target_{path.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    return _run(lambda: loader.exec_module(module) or module, target)


def _module(name: str, target: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise TargetError(f"{target}: there is no module {name!r}")
    return _run(lambda: importlib.import_module(name), target)


def _run(load_module, target):
    """The module; an error of its own code becomes a line of ours above its own traceback."""
    try:
        return load_module()
    except (Exception, SystemExit) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_theirs(f.filename)]
        lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
        line = f"{target} cannot be loaded: {type(error).__name__} in its own code"
        raise TargetError(line, "".join(lines)) from None


def _is_theirs(filename: str) -> bool:
    return filename != __file__ and "importlib" not in filename


def _did_you_mean(name: str, module: Any) -> str:
    close = difflib.get_close_matches(name, dir(module), n=1)
    return f", did you mean {close[0]}?" if close else ""
