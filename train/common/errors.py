"""The exceptions of Fauxlens: one base class, one subclass for each part of the program that raises its own."""


class FauxlensError(Exception):
    """One sentence for the person at the command line: what is wrong, where, and what to do about it."""


class ElaError(FauxlensError):
    """A picture or a setting does not suit a front end."""


class DataError(FauxlensError):
    """A picture, a card, a manifest or a packed store is not as it must be."""


class TrainError(FauxlensError):
    """A recipe, a run folder or a table of scores is not as it must be."""


class ExportError(FauxlensError):
    """A detector file, a bundle or a runtime is not as it must be."""


class PlaceError(FauxlensError):
    """A place to write to cannot be written, or is not one for what is to be written."""
