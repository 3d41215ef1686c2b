"""Stack configuration → typed, validated settings; every problem is reported at once, before any resource exists."""

from .models import (
    ClusterSettings,
    DashEnterpriseSettings,
    E6dataSettings,
    NetworkSettings,
    NodeGroupSettings,
    Settings,
    TaintSettings,
    VeleroSettings,
)
from .problems import SettingsError
from .reading import from_pulumi, load

__all__ = [
    "ClusterSettings",
    "DashEnterpriseSettings",
    "E6dataSettings",
    "NetworkSettings",
    "NodeGroupSettings",
    "Settings",
    "SettingsError",
    "TaintSettings",
    "VeleroSettings",
    "from_pulumi",
    "load",
]
