"""The error with which components refuse their arguments."""

import pulumi


class RefusedError(pulumi.RunError, ValueError):
    """What was asked for cannot be built. Pulumi shows the text of a RunError alone, without a traceback, in a program
    as through the plugin."""
