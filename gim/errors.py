"""Errors that a user can act on."""


class InputError(ValueError):
    """Something that the user gave is wrong; the message names it, the place and the remedy.

    The command line prints the message alone, without a traceback.
    """
