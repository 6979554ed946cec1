"""What importing the package settles for libraries below it."""

import subprocess
import sys


def test_opencv_opens_no_opencl_drivers() -> None:
    """They are of the machine, and one of them ended the process in an audit."""
    probe = "import train, cv2; print(cv2.ocl.haveOpenCL())"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
