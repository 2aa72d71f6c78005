"""What every backward owes, whatever it computes: no tolerance, each breach under its own name."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from comparisons.pieces import pieces
from comparisons.witnesses import LARGE, Arrays, frozen, jittered, probe

from .inputs import generator
from .subject import Failure, Subject, as_list


@dataclass(frozen=True)
class Finding:
    """A named thing that is wrong, in a sentence, and the gradient it concerns."""

    name: str
    sentence: str
    gradient: str | None = None
    fit: float = 1.0


@dataclass
class Trial:
    """One run of the function under test: its values, its gradients and its breaches."""

    values: list[np.ndarray]
    dys: list[np.ndarray]
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    breaches: list[Finding] = field(default_factory=list)
    elsewhere: "Elsewhere | None" = None

    def broken(self, name: str) -> list[Finding]:
        return [b for b in self.breaches if b.gradient == name]


@dataclass(frozen=True)
class Elsewhere:
    """What the function made of other inputs, in a call in between."""

    arrays: list[np.ndarray]
    values: list[np.ndarray]
    gradients: list[np.ndarray]


def examine(subject: Subject, arrays: Arrays, seed: int) -> Trial:
    """Run the function and hold it to the contract. Failure where its own code fails."""
    try:
        return _examine_frozen(subject, [frozen(array.copy()) for array in arrays], arrays, seed)
    except Failure as failure:
        if "read-only" not in failure.line:
            raise
        return _examine_writing(subject, arrays, seed)


def upstream(subject: Subject, values: Arrays, seed: int) -> list[np.ndarray]:
    """A random upstream gradient per value, zero for state."""
    dys = []
    for index, value in enumerate(values):
        dtype = value.dtype if value.dtype.kind == "f" else np.dtype(float)
        dy = probe(generator(f"dy {index}", seed), value.shape, dtype.name)
        state = subject.is_state(index, len(values))
        dys.append(frozen(np.zeros_like(dy) if state else dy))
    return dys


def _examine_frozen(subject, inputs, originals, seed) -> Trial:
    values, backward = subject.run(inputs)
    values = _own_copies(values, subject)
    trial = Trial(values, upstream(subject, values, seed))
    dys = [frozen(dy.copy()) for dy in trial.dys]
    _check_gradients(subject, as_list(backward(dys)), inputs, trial)
    if trial.gradients:
        others = _others(subject, inputs, seed)
        there = _attempt(subject, others)
        second = _check_repeats(subject, backward, inputs, trial)
        _check_linear(subject, backward, second, trial)
        if there is not None:  # last, so that no other call writes to its gradients
            trial.elsewhere = _elsewhere(subject, others, there, trial.dys)
    _check_unchanged(subject, inputs, originals, dys, trial)
    _check_value_dtype(subject, inputs, trial)
    return trial


def _examine_writing(subject, arrays, seed) -> Trial:
    """The same function on arrays that it may write to, to see which of them it changes."""
    inputs = [array.copy() for array in arrays]
    values, backward = subject.run(inputs)
    values = _own_copies(values, subject)
    trial = Trial(values, upstream(subject, values, seed))
    dys = [dy.copy() for dy in trial.dys]
    raw = as_list(backward(dys))
    _check_unchanged(subject, inputs, arrays, dys, trial)
    if not trial.breaches:
        sentence = "writes to an input or to dy, which are read-only in a check"
        trial.breaches.append(Finding("mutates", f"{subject.name} {sentence}"))
    _check_gradients(subject, raw, inputs, trial)
    return trial


def _own_copies(values, subject) -> list[np.ndarray]:
    if any(value.dtype.kind == "c" for value in values):
        raise Failure(f"{subject.name} returned complex numbers for real inputs")
    return [value.copy() for value in values]


def _check_gradients(subject, raw, inputs, trial):
    if len(raw) != len(subject.positions):
        trial.breaches.append(_arity(subject, raw))
        return
    for position, gradient in zip(subject.positions, raw, strict=True):
        name = subject.names[position]
        breach = _breach(name, gradient, inputs[position])
        if breach is None:
            breach = _aliased(name, gradient, subject.names, inputs)
        if breach:
            trial.breaches.append(breach)
        if gradient is not None and np.asarray(gradient).dtype.kind in "fiub":
            trial.gradients[name] = np.array(gradient)


def _arity(subject, raw) -> Finding:
    names = subject.differentiated
    inputs = f"{len(names)} input{'s' * (len(names) != 1)} ({', '.join(names)})"
    count = f"{len(raw)} gradient{'s' * (len(raw) != 1)}"
    hint = " An input without a gradient is named in constant=."
    sentence = f"backward returned {count} for {inputs}.{hint * (len(raw) < len(names))}"
    return Finding("arity", sentence)


def _breach(name, gradient, tensor) -> Finding | None:
    """A gradient without the shape and the dtype of its tensor."""
    if gradient is None:
        return Finding("none", f"the gradient of {name} is None; where it is zero, zeros", name)
    gradient = np.asarray(gradient)
    if gradient.dtype.kind not in "fiub":
        return Finding("dtype", f"the gradient of {name} has dtype {gradient.dtype}", name)
    if gradient.shape != tensor.shape:
        sentence = f"the gradient of {name} has shape {gradient.shape}, {name} has {tensor.shape}"
        return Finding("shape", sentence + _shape_hint(gradient.shape, tensor.shape), name)
    if gradient.dtype != tensor.dtype and tensor.ndim > 0:
        sentence = f"the gradient of {name} is {gradient.dtype}, {name} is {tensor.dtype}"
        return _dtype_finding(gradient.dtype, tensor.dtype, sentence, name)
    return None


def _aliased(name, gradient, names, inputs) -> Finding | None:
    for other, tensor in zip(names, inputs, strict=True):
        if tensor.size and np.shares_memory(gradient, tensor):
            sentence = f"the gradient of {name} is a view of the input {other}; return a copy"
            return Finding("alias", sentence, name)
    return None


def _dtype_finding(given, expected, sentence, name=None) -> Finding:
    if given.kind == "f" and given.itemsize < expected.itemsize:
        return Finding(f"{given} leak", f"{given} leak: {sentence}", name)
    return Finding("dtype", sentence, name)


def not_finite(name: str, gradient: np.ndarray) -> Finding | None:
    bad = ~np.isfinite(gradient)
    if not bad.any():
        return None
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    what = f"{gradient[index]} at {list(index)}" if index else f"{gradient[()]}"
    return Finding("not finite", f"the gradient of {name} is {what}", name)


def _shape_hint(given, expected) -> str:
    if given == expected[::-1]:
        return ": it is transposed"
    if len(given) > len(expected) and given[len(given) - len(expected) :] == expected:
        return ": the axes along which it was broadcast are not summed"
    if np.prod(given) == np.prod(expected):
        return ": it is not reshaped back"
    if len(given) == len(expected) and all(
        e in (1, g) for g, e in zip(given, expected, strict=True)
    ):
        return ": the axes along which it was broadcast are not summed"
    return ""


def _check_repeats(subject, backward, inputs, trial) -> Callable | None:
    """The backward of a second forward, None where something is not repeatable already.

    The first backward is called again before that; a forward on other inputs came in between.
    """
    _check_again(
        subject, backward, trial, "backward, called again after a forward on other inputs,"
    )
    if any(b.name == "not repeatable" for b in trial.breaches):
        return None
    values, second = subject.run(inputs)
    if any(not same(a, b) for a, b in zip(trial.values, values, strict=False)):
        sentence = f"{subject.name}, called a second time, gives another value: it is random"
        trial.breaches.append(Finding("not deterministic", sentence))
        return None
    return second


def _check_again(subject, backward, trial, what):
    again = _named(subject, backward([frozen(dy.copy()) for dy in trial.dys]), trial)
    for name in _changed(trial.gradients, again):
        grown = _is_doubled(trial.gradients[name], again.get(name))
        adding = ": it adds up over calls" if grown else ""
        sentence = f"{what} gives another gradient of {name}{adding}"
        trial.breaches.append(Finding("not repeatable", sentence, name))


def _others(subject, inputs, seed) -> list[np.ndarray]:
    """Other inputs of the same kind: the numbers in reverse order, off their ties where cheap."""
    backwards = [frozen(a.reshape(-1)[::-1].reshape(a.shape).copy()) for a in inputs]
    cheap = [p for p in subject.positions if inputs[p].size < LARGE]
    return jittered(backwards, cheap, generator("others", seed), eps=1e-6)


def _attempt(subject, arrays) -> tuple | None:
    """(values, backward), None where it fails."""
    with suppress(Failure):
        values, backward = subject.run(arrays)
        return [value.copy() for value in values], backward


def _elsewhere(subject, arrays, call, dys) -> Elsewhere | None:
    """The whole call on other inputs, None where its backward fails.

    Large gradients are not copied: they are to be looked at before any other call writes to them.
    """
    values, backward = call
    try:
        gradients = subject.gradients(arrays, backward, [frozen(dy.copy()) for dy in dys])
    except Failure:
        return None
    return Elsewhere(arrays, values, [g if g.size >= LARGE else g.copy() for g in gradients])


def _is_doubled(once, again) -> bool:
    return again is not None and again.shape == once.shape and np.allclose(again, 2 * once)


def _check_linear(subject, backward, second, trial):
    """second(8 * dy) is 8 * backward(dy) to the bit.

    Where it is not, second(dy) tells whether it repeats itself, and backward(0) why it does not.
    """
    scaled, suspects = _suspects(subject, second or backward, trial)
    if suspects and second:
        _check_again(subject, second, trial, "a second forward and backward")
        scaled, suspects = _suspects(subject, backward, trial)
    if suspects:
        nothing = _named(subject, backward([frozen(0 * dy) for dy in trial.dys]), trial)
        trial.breaches += [
            _nonlinearity(name, once, scaled.get(name), nothing.get(name))
            for name, once in suspects.items()
        ]


def _suspects(subject, backward, trial) -> tuple[dict, dict]:
    """(backward(8 * dy), those gradients of which it is not 8 times as much)."""
    scaled = _named(subject, backward([frozen(8 * dy) for dy in trial.dys]), trial)
    unlike = {
        name: once
        for name, once in trial.gradients.items()
        if not trial.broken(name) and not _is_linear(once, scaled.get(name))
    }
    return scaled, unlike


def _is_linear(once, scaled) -> bool:
    """Whether scaled is 8 * once, as far as numbers are finite."""
    if scaled is None or scaled.shape != once.shape:
        return False
    equal = all(_equal_but_underflow(s, 8 * o) for s, o in pieces(scaled, once))
    return equal or not np.isfinite(once).all()


def _nonlinearity(name, once, scaled, nothing) -> Finding:
    if scaled is None or nothing is None or scaled.shape != once.shape:
        return Finding("not linear", f"for other dy, backward has no gradient of {name}", name)
    if np.any(once) and same(once, scaled):
        sentence = f"backward ignores its upstream gradient: {name} gets the same for dy and 8 dy"
        return Finding("ignores dy", sentence, name)
    if np.any(nothing):
        sentence = f"backward(0) is not zero for {name}: a term is added that dy does not multiply"
        return Finding("not zero at dy = 0", sentence, name)
    sentence = f"backward(8 dy) is not 8 backward(dy) for {name}: it is not linear in dy"
    return Finding("not linear", sentence, name)


def _equal_but_underflow(a, b) -> bool:
    if np.array_equal(a, b):
        return True
    allowed = 64 * np.finfo(a.dtype).tiny if a.dtype.kind == "f" else 0
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.all((a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= allowed)))


def _check_unchanged(subject, inputs, originals, dys, trial):
    for name, tensor, original in zip(subject.names, inputs, originals, strict=True):
        if not same(tensor, original):
            sentence = f"{subject.name} changes its input {name} in place"
            trial.breaches.append(Finding("mutates input", sentence))
    if any(not same(dy, original) for dy, original in zip(dys, trial.dys, strict=True)):
        sentence = "backward changes its upstream gradient dy in place"
        trial.breaches.append(Finding("mutates dy", sentence))


def _check_value_dtype(subject, inputs, trial):
    dtype = inputs[subject.positions[0]].dtype
    for index, value in enumerate(trial.values):
        if value.dtype.kind == "f" and value.dtype != dtype and value.ndim > 0:
            name = subject.value_name(index, len(trial.values))
            sentence = f"the {name} is {value.dtype}, its inputs are {dtype}"
            trial.breaches.append(_dtype_finding(value.dtype, dtype, sentence))


def _named(subject, raw, trial) -> dict[str, np.ndarray]:
    named = zip(subject.differentiated, as_list(raw), strict=False)
    return {name: np.asarray(g) for name, g in named if name in trial.gradients and g is not None}


def _changed(first, second) -> list[str]:
    return [name for name, g in first.items() if name not in second or not same(g, second[name])]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal bit for bit, in shape and dtype too."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    word = f"u{a.itemsize}" if a.itemsize in (1, 2, 4, 8) else "u1"
    here, there = (np.ascontiguousarray(array).reshape(-1).view(word) for array in (a, b))
    return all(np.array_equal(x, y) for x, y in pieces(here, there))
