"""The components as a Pulumi plugin, for programs in any language."""

import json

from pulumi.provider.experimental.component import ComponentProvider

from . import __version__
from .schema import NAME, NAMESPACE, package_schema, public_components


class ComponentPlugin(ComponentProvider):
    """Pulumi's own host of components, with the descriptions that its analysis leaves out."""

    def __init__(self) -> None:
        components = public_components()
        super().__init__(components, NAME, NAMESPACE, __version__)
        self.schema = json.dumps(package_schema(components))
