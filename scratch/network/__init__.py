"""Layers chained into a network that is compiled, fitted and evaluated as in Keras."""

from .callbacks import Callback, EarlyStopping, History, ProgbarLogger
from .layer import Input, Layer
from .sequential import Sequential

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "Input",
    "Layer",
    "ProgbarLogger",
    "Sequential",
]
