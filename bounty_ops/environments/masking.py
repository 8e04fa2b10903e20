"""What is masked when one environment is refreshed from another: `[masking]` in bounty_ops.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a value becomes; docs/how-to/restore.md describes each.
Rule = Literal[
    "email", "name", "handle", "token", "ip", "url", "text", "json", "null", "keep"
]  # fmt: skip


class Masking(BaseModel):
    """The rules of one deployment, over those of the preset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["bounty", "none"] = Field(
        default="bounty", description="Rules to begin with: those for Bounty's own tables, or none."
    )
    columns: dict[str, Rule] = Field(
        default_factory=dict,
        description="Rules by column: `table.column` in public, else `schema.table.column`.",
    )


def masking_of(
    tables: Mapping[str, object], where: str
) -> tuple[Masking, ConfigurationError | None]:
    """The table `[masking]`; the preset alone, and what is wrong, if it cannot be read."""
    try:
        return Masking.model_validate(tables.get("masking", {})), None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        return Masking(), ConfigurationError(
            f"{where}, masking: {place}: {first['msg']}",
            hint="Correct [masking]; docs/how-to/restore.md lists its fields and rules.",
        )
