"""What else than faces tells real from fake, and whether a detector goes by it.

`bias_score.py` swaps the processing of pictures, `explain.py` has the baselines, and the sentence on which explains it.
"""
