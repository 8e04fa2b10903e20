"""The page on settings lists every field of a policy with its default."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from bounty_ops.environments import Policy, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def policy_table() -> str:
    lines = ["| Field | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Policy.model_fields.items():
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        lines.append(f"| `{name}` | `{json.dumps(default)}` | {field.description} |")
    return "\n".join(lines)


def test_every_field_of_a_policy_is_on_the_page() -> None:
    assert policy_table() in PAGE.read_text(encoding="utf-8")


def test_the_example_on_the_page_is_a_valid_file(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / "bounty_ops.toml").write_text(example)
    assert tomllib.loads(example)
    settings = load_settings(tmp_path, {})
    assert settings.problems == ()
    assert settings.environment("staging").policy.backup_max_age_hours == 50
