"""Layers chained into a network that is compiled, fitted and evaluated as in Keras."""

from .callbacks import Callback, History, ProgbarLogger
from .layer import Input, Layer
from .sequential import Sequential

__all__ = ["Callback", "History", "Input", "Layer", "ProgbarLogger", "Sequential"]
