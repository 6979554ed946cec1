"""From a trained run to detector files, and from detector files to verdicts and parity checks.

The packages in order: artifacts, runtimes, tflite and inference, quantize and benchmark, parity, explain, release, cli.
"""
