"""The settings of a stack outside of a program: as `pulumi preview` would load them, but for what is secret."""

import os
from pathlib import Path

import settings
from operations.console import OperationError
from operations.stack_configuration import KeyPath, StackConfiguration
from settings import placeholders
from settings.files import FILES
from settings.models import SECRETS
from settings.problems import HIDDEN, SettingsError

# Nothing lies below it: no license and no certificate need be there, or be valid.
_NO_FILES = Path(os.devnull)
_NEVER_IN_GIT = {*(f"dash_enterprise.{name}" for name in FILES), *SECRETS}


def load(config: StackConfiguration, stack: str) -> settings.Settings:
    """The settings, with placeholders for secrets. Raises an `OperationError` with all that is wrong with them."""
    try:
        return _load(config, stack)
    except SettingsError as error:
        # Nothing here depends on what is never in git: the files, and the secrets beside them.
        problems = [one for one in error.problems if one.input not in _NEVER_IN_GIT]
        # Where nothing else is wrong, it is one of these: a secret in clear text, a path that is a number.
        problems = problems or [one for one in error.problems if one.input in SECRETS and one.value is not None]
        raise OperationError(_unread(config, error) or str(SettingsError(problems or error.problems, stack))) from None


def check_complete(config: StackConfiguration, stack: str) -> None:
    """Raise an `OperationError` where settings are missing that an environment of Pulumi ESC may hold."""
    try:
        _load(config, stack)
    except SettingsError as error:
        if unread := _unread(config, error):
            raise OperationError(unread) from None


def placeholder(config: StackConfiguration, path: KeyPath) -> str:
    """What stands for the secret at a path, in a form that the program accepts."""
    namespace, _, name = str(path[0]).partition(":")
    if str(path[0]) == "aws:region":
        return _region(config)
    if namespace != config.project:
        return placeholders.PLACEHOLDER
    return placeholders.placeholder((name, *path[1:]), config.setting, _region(config))


def _region(config: StackConfiguration) -> str:
    given = (config.values.get("aws:region"), config.setting("region"))
    zones = config.setting("availability_zones")
    written = (region for region in given if isinstance(region, str) and region)
    return next(written, placeholders.region_of(zones, otherwise="us-east-1"))


def _load(config: StackConfiguration, stack: str) -> settings.Settings:
    prefix = f"{config.project}:"
    texts = config.texts(lambda path: placeholder(config, path))
    return settings.load(
        {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)},
        _NO_FILES,
        dry_run=True,
        project=config.project,
        stack=stack,
        provider_region=texts.get("aws:region"),
        secret_keys={key.removeprefix(prefix) for key in config.secret_keys},
        others={
            key: HIDDEN if key in config.secret_keys else text
            for key, text in texts.items()
            if not key.startswith(prefix)
        },
    )


def _unread(config: StackConfiguration, error: SettingsError) -> str | None:
    """In place of a list of all that an environment would have given."""
    missing = [one.input for one in error.problems if one.value is None and one.input not in _NEVER_IN_GIT]
    if config.unread is None or not missing:
        return None
    return (
        f"{config.unread} Without them {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: write "
        f"stand-ins for them into a copy of {config.name}, or use a logged-in Pulumi"
    )
