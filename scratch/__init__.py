"""Deep learning from scratch: NumPy forward passes that return their own hand-written backward."""
