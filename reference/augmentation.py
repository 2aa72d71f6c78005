"""Augmentation: images that are moved, turned or lit at random in training, and left in inference.

TensorFlow's gradient of affine_transform is no derivative: it moves dy back by the inverse
transform, and so do those of RandomTranslation, RandomRotation and RandomZoom.
"""

import math

import keras
import tensorflow as tf

RandomBrightness = keras.layers.RandomBrightness
RandomContrast = keras.layers.RandomContrast
RandomCrop = keras.layers.RandomCrop
RandomFlip = keras.layers.RandomFlip
RandomTranslation = keras.layers.RandomTranslation
RandomZoom = keras.layers.RandomZoom
affine_transform = keras.ops.image.affine_transform


def flip(images, flips, axes):
    """y = images reversed along the axes where flips is True."""
    return tf.where(flips, tf.reverse(images, axes), images)


def crop(images, top, left, height, width):
    """y = height x width pixels of every image."""
    return tf.image.crop_to_bounding_box(images, top, left, height, width)


def adjust_brightness(images, delta, value_range=(0, 255)):
    """y = images + delta within value_range."""
    return tf.clip_by_value(images + delta, *value_range)


def adjust_contrast(images, factor, value_range=(0, 255)):
    """y = (images - mean) * factor + mean within value_range."""
    mean = tf.reduce_mean(images, (1, 2), keepdims=True)
    return tf.clip_by_value((images - mean) * factor + mean, *value_range)


class RandomRotation(keras.layers.RandomRotation):
    """Keras's, but for its matrix: in Keras 3.15 that is float32, and fails for float64 angles."""

    def _compute_affine_matrix(self, angle, height, width, **unused):
        angle = angle * (math.pi / 180)
        cos, sin, zero = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
        cx, cy = (width - 1) / 2, (height - 1) / 2
        to_center = [cx - cx * cos + cy * sin, cy - cx * sin - cy * cos]
        return tf.stack([cos, -sin, to_center[0], sin, cos, to_center[1], zero, zero], axis=1)
