"""The harness: trains scratch and reference from one seed and says whether and why they differ."""
