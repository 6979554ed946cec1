"""The face finders by name."""

from typing import Literal

from train.image.face import FaceDetector

FinderName = Literal["blazeface", "mtcnn"]
"""`blazeface` is what apps and `detect` use; `mtcnn` is for comparing with the literature."""


def open_finder(name: FinderName) -> FaceDetector:
    """Return a face finder; TrainError for `mtcnn` where its package is not installed."""
    if name == "mtcnn":
        from train.data.faces.mtcnn import mtcnn_detector

        return mtcnn_detector()
    from train.image.face_finder.finder import blazeface_detector

    return blazeface_detector()
