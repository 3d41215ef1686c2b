"""The components as a Pulumi plugin: the engine runs this folder for programs in any language."""

import sys

from pulumi.provider import main

from eks_analytics.plugin import ComponentPlugin

if __name__ == "__main__":
    main(ComponentPlugin(), sys.argv[1:])
