"""The real drizzle-kit, with Bounty's schema written down as its TypeScript.

It comes from npm, in the versions that Bounty uses: this needs node, npm and a registry.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

_PACKAGES = ("drizzle-kit@0.31.9", "drizzle-orm@0.41.0", "pg@8.19.0")
_FACTS = Path(__file__).parents[2] / "data" / "bounty_schema.json"
_CONFIG = """
export default {
  dialect: "postgresql", schema: "./schema.ts", out: "./drizzle",
  dbCredentials: { url: process.env.TARGET },
};
"""
_COLUMNS = {
    "bigint": 'p.bigint({0}, {{ mode: "number" }})',
    "text[]": "p.text({0}).array()",
    "numeric": "p.numeric({0}, {{ precision: {1}, scale: {2} }})",
}


def schema() -> str:
    """Bounty's 37 tables and 16 enums."""
    facts = json.loads(_FACTS.read_text("utf-8"))
    lines = [
        'import * as p from "drizzle-orm/pg-core";',
        'import { sql } from "drizzle-orm";',
        "const tables: any = {};",
    ]
    for name, enum in facts["enums"].items():
        values = json.dumps(enum["values"])
        lines.append(f'export const e_{name} = p.pgEnum("{name}", {values});')
    for name, table in facts["tables"].items():
        columns = "\n".join(f"  {_column(each, facts['enums'])}," for each in table["columns"])
        more = ",\n  ".join(_more(table))
        lines.append(
            f'export const t_{name} = p.pgTable("{name}", {{\n{columns}\n}}, (t) => [\n  {more}]);'
        )
        lines.append(f'tables["{name}"] = t_{name};')
    return "\n".join(lines) + "\n"


def _column(column: dict[str, Any], enums: dict[str, Any]) -> str:
    name, kind = json.dumps(column["name"]), column["drizzle_type"]
    base, _, rest = kind.partition("(")
    if kind in enums:
        built = f"e_{kind}({name})"
    else:
        sizes = rest.rstrip(")").split(", ")
        built = _COLUMNS.get(base, f"p.{base}({{0}})").format(name, *sizes)
    if column["default"] is not None:
        built += f".default(sql`{column['default']}`)"
    if column["primary_key"]:
        built += ".primaryKey()"
    elif not column["nullable"]:
        built += ".notNull()"
    return f"{name}: {built}"


def _more(table: dict[str, Any]) -> list[str]:
    def listed(names: list[str], source: str = "t") -> str:
        return ", ".join(f'{source}["{name}"]' for name in names)

    said = [
        f'p.unique("{each["name"]}").on({listed(each["columns"])})'
        for each in table["unique_constraints"]
    ]
    for each in table["indexes"]:
        kind = "uniqueIndex" if each["unique"] else "index"
        said.append(f'p.{kind}("{each["name"]}").on({listed(each["columns"])})')
    for each in table["foreign_keys"]:
        referred = listed(each["ref_columns"], f'tables["{each["ref_table"]}"]')
        said.append(
            f'p.foreignKey({{ name: "{each["name"]}", columns: [{listed(each["columns"])}], '
            f"foreignColumns: [{referred}] }})"
            f'.onDelete("{each["on_delete"]}").onUpdate("{each["on_update"]}")'
        )
    return said


@dataclass(frozen=True)
class DrizzleKit:
    """drizzle-kit, installed in a folder of its own."""

    folder: Path

    @classmethod
    def install(cls, folder: Path) -> DrizzleKit:
        """Fetch it from the registry that npm is set up for."""
        (folder / "package.json").write_text('{"name": "of-a-test", "private": true}')
        (folder / "drizzle.config.ts").write_text(_CONFIG)
        kit = cls(folder)
        kit._run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *_PACKAGES)
        kit.declare(schema())
        return kit

    def declare(self, text: str) -> None:
        """Make this the TypeScript schema."""
        (self.folder / "schema.ts").write_text(text)

    def push(self, url: DatabaseUrl) -> None:
        """Make the database equal to the schema, whatever that costs."""
        self._run("npx", "drizzle-kit", "push", "--force", target=url)

    def generate(self) -> Path:
        """Write a migration; returns its file."""
        self._run("npx", "drizzle-kit", "generate")
        return max((self.folder / "drizzle").glob("*.sql"))

    def migrate(self, url: DatabaseUrl) -> None:
        """Apply the migrations that the journal does not have."""
        self._run("npx", "drizzle-kit", "migrate", target=url)

    def _run(self, *words: str, target: DatabaseUrl | None = None) -> None:
        environ = {**os.environ, "TARGET": "" if target is None else target.text()}
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, (
            f"{' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
