"""Samples with labels and weights, cut into batches."""

import math

import numpy as np

from scratch import config, random


class Batches:
    """x, y and sample_weight in steps of batch_size (32 where None); the last one may be smaller.

    x may be a list of arrays, as layers of several inputs take them.
    ValueError for lengths that differ, no samples, or a batch_size that is no positive integer.
    """

    def __init__(self, x, y=None, sample_weight=None, batch_size=None, order=None):
        inputs = [np.asarray(part) for part in x] if _is_several(x) else _array(x)
        self.columns = [inputs, _array(y), _array(sample_weight)]
        self.batch_size = 32 if batch_size is None else batch_size
        self.order = order
        arrays = [*(inputs if isinstance(inputs, list) else [inputs]), *self.columns[1:]]
        lengths = {len(array) if array.ndim else 0 for array in arrays if array is not None}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(f"x, y and weights need one length above 0, not {sorted(lengths)}")
        if not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise ValueError(f"batch_size is a positive integer, not {batch_size!r}")
        self.samples = lengths.pop()

    def __len__(self):
        return math.ceil(self.samples / self.batch_size)

    def __iter__(self):
        for start in range(0, self.samples, self.batch_size):
            rows = slice(start, start + self.batch_size)
            rows = rows if self.order is None else self.order[rows]
            yield self._cut(rows)

    def _cut(self, rows):
        """x, y and sample_weight of these rows alone."""
        x, *rest = self.columns
        inputs = [part[rows] for part in x] if isinstance(x, list) else _taken(x, rows)
        return [inputs, *(_taken(column, rows) for column in rest)]

    def shuffled(self):
        """The same samples in the next order of the global seed generator."""
        order = random.shuffle(np.arange(self.samples))
        x, y, sample_weight = self.columns
        return Batches(x, y, sample_weight, self.batch_size, order)

    def weighed(self, class_weight):
        """The same samples, with a weight by class where class_weight is given."""
        x, y, sample_weight = self.columns
        weights = weigh(y, sample_weight, class_weight)
        return Batches(x, y, weights, self.batch_size, self.order)

    def split(self, fraction):
        """Batches without the last fraction of the samples, and (x, y, sample_weight) of it."""
        kept = math.floor(self.samples * (1.0 - fraction))
        if not 0 < kept < self.samples:
            raise ValueError(
                f"validation_split={fraction} leaves nothing of {self.samples} samples"
            )
        x, y, sample_weight = self._cut(slice(kept))
        return Batches(x, y, sample_weight, self.batch_size), self._cut(slice(kept, None))


def _is_several(x):
    """Whether x is a list or tuple of arrays, not of numbers or of lists, which are one array."""
    return isinstance(x, list | tuple) and any(getattr(part, "ndim", 0) for part in x)


def _array(column):
    return None if column is None else np.asarray(column)


def _taken(column, rows):
    return None if column is None else column[rows]


def weigh(y, sample_weight, class_weight):
    """sample_weight, or one weight per sample looked up by class in the dict class_weight."""
    if class_weight is None:
        return sample_weight
    if sample_weight is not None:
        raise ValueError("fit takes class_weight or sample_weight, not both")
    y = np.asarray(y)
    if y.ndim > 1:
        y = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0]
    weights = [class_weight.get(int(label), 1.0) for label in np.round(y)]
    return np.array(weights, config.floatx())
