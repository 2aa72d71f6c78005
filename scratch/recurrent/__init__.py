"""Recurrent layers: a cell that sees a sequence step by step, and the way back through time."""

from .layers import SimpleRNN
from .scan import scan

__all__ = ["SimpleRNN", "scan"]
