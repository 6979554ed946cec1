"""From a run to what ships, and back from what ships to a verdict and a proof of parity.

The packages in order: artifacts, runtimes, tflite and inference, quantize and benchmark, parity, explain, release, cli.
"""
