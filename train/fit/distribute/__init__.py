"""Training on several replicas (tf.distribute): the cluster, and a training step.

Independent of recipes and run folders; `train/fit/loop.py` uses it if it has replicas.
"""
