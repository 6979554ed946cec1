"""From labelled pictures to a trained run: data, recipes, the Keras model, evaluation, training, comparison of runs.

`recipe.py`, `model.py` and `weights.py` are shared by the packages.
"""

import os

# OpenCV opens OpenCL's drivers at its first ORB, though nothing here runs on them: pocl's then ended the process, in a
# thread, by SIGSEGV.
os.environ.setdefault("OPENCV_OPENCL_RUNTIME", "disabled")
