"""Normalization: numbers brought to mean 0 and variance 1, over the batch or within each sample."""

from .functions import (
    batch_normalization,
    group_normalization,
    layer_normalization,
    normalize,
    normalize_batch,
    rms_normalization,
    standardize,
)
from .layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
    "batch_normalization",
    "group_normalization",
    "layer_normalization",
    "normalize",
    "normalize_batch",
    "rms_normalization",
    "standardize",
]
