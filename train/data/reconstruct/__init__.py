"""Fakes made from real pictures with an autoencoder, so that a pair differs only in the generator's traces.

From weights files (`safetensors_file`, `torch_file`) to a network (`taesd`, `onnx_file`), over large pictures in tiles,
to files that are saved like their originals, and to a manifest of them.
"""
