"""Write the golden files: what the present Python code makes of pictures, views, scores and damaged files.

    .venv/bin/python tests/golden/make.py

pytest (tests/android/test_golden.py) and the JVM tests of android_demo/core read the same files, so both languages are
held to the same pixels, verdicts and refusals. `pictures/` is drawn once: JPEG bytes and drawings differ between
versions of libraries, so later runs keep the files that stand there (empty the folder to draw them anew) and make
everything else from them. Each JSON file is a list with one case a line; the function of its name in `golden_files`
says what a case holds. `sealed.zip.gz` holds accepted/KIND/NAME and refused/KIND/NAME.
"""

import runpy

runpy.run_module("golden_files", run_name="__main__")
