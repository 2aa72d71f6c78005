"""Augmentation: images that are moved, turned or lit at random in training, and left in inference.

Every draw is that of Keras's layer from the same seed, in floatx, whatever the layer's dtype is;
only RandomContrast draws in its own. Images are (n, h, w, c), or (n, c, h, w) with channels_first.
Keras's layers augment unless told not to; these do so in training alone, as all layers do here.
"""

from .functions import adjust_brightness, adjust_contrast, affine_transform, crop, flip
from .layers import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)

__all__ = [
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "adjust_brightness",
    "adjust_contrast",
    "affine_transform",
    "crop",
    "flip",
]
