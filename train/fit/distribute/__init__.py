"""Training by several replicas of one network at once (tf.distribute): who there is, and the step that they take.

Nothing here knows recipes or run folders; `train/fit/loop.py` takes its steps here where it is given replicas.
"""
