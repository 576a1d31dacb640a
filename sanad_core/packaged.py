"""Where the policies, texts and helplines that come with Sanad are."""

from __future__ import annotations

from pathlib import Path

from sanad_core.errors import PolicyError
from sanad_core.problems import Problem, did_you_mean

__all__ = ["DEFAULT_POLICY", "find_policy", "policies"]

DEFAULT_POLICY = "default"


def policies() -> Path:
    """The packaged policies' folder: `sanad_policies` in a wheel, `policies` in a checkout."""
    home = Path(__file__).resolve().parent.parent
    installed = home / "sanad_policies"
    return installed if installed.is_dir() else home / "policies"


def find_policy(name: str) -> Path:
    """The file of a policy that is named by path, or by the name of a packaged one.

    Args:
        name: `my/policy.yml`, or `default`, `minimal`, …

    Returns:
        The path. A path that does not exist is returned as it is, unless it looks like a name.

    Raises:
        PolicyError: a plain name that is not a packaged policy.
    """
    path = Path(name)
    if path.suffix or len(path.parts) > 1 or path.exists():
        return path
    packaged = policies() / f"{name}.yml"
    if packaged.is_file():
        return packaged
    known = [file.stem for file in policies().glob("*.yml") if file.stem != "helplines"]
    hint = did_you_mean(name, known) or f"; packaged policies: {', '.join(sorted(known))}"
    raise PolicyError([Problem(file=name, message=f"no such file and no packaged policy{hint}")])
