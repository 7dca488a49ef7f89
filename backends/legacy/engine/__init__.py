"""The engine (2.7): a small process on CNTK in a legacy interpreter, driven over pipes.

It holds one network and does what only CNTK can: a training step, a prediction, gradients.
All else (data, augmentation, epochs, checkpoints) is the worker's, in a modern Python. Its files
are read by CPython 2.7, 3.5 and 3.6, and import the standard library, NumPy and CNTK alone.
"""
