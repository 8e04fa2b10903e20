"""What the embedded servers remember: passwords for us alone, ports that stay."""

from __future__ import annotations

import json
import socket
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import ports
from bounty_ops.embedded.state import Secrets, State
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / ".bounty-ops")
    made.prepare()
    return made


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_directories_and_secrets_are_ours_alone(state: State) -> None:
    state.secrets()
    assert mode(state.root) == 0o700
    assert mode(state.run) == 0o700
    assert mode(state.logs) == 0o700
    assert mode(state.root / "secrets.json") == 0o600


def test_a_directory_that_somebody_opened_is_closed_again(state: State) -> None:
    state.secrets()
    state.root.chmod(0o755)
    (state.root / "secrets.json").chmod(0o644)
    state.prepare()
    state.secrets()
    assert mode(state.root) == 0o700
    assert mode(state.root / "secrets.json") == 0o600


def test_secrets_are_made_once_and_differ_from_each_other(state: State, tmp_path: Path) -> None:
    first = state.secrets()
    assert state.secrets() == first
    values = [getattr(first, field.name) for field in fields(Secrets)]
    assert len(set(values)) == len(values)
    other = State(tmp_path / "other")
    other.prepare()
    assert other.secrets().postgres != first.postgres


def test_secrets_hide_their_values(state: State) -> None:
    secrets = state.secrets()
    for value in (secrets.postgres, secrets.bounty, secrets.bounty_ops):
        assert value not in repr(secrets)
    assert secrets.s3_secret_access_key not in repr(secrets)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"postgres": "x"}'])
def test_damaged_secrets_are_not_replaced_silently(state: State, content: str) -> None:
    path = state.root / "secrets.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EmbeddedError, match="is damaged") as caught:
        state.secrets()
    assert str(state.root) in caught.value.hint
    assert path.read_text("utf-8") == content


def test_a_port_is_remembered(state: State) -> None:
    said: list[str] = []
    first = state.ports(["a", "b"], say=said.append)
    assert state.ports(["b", "a"], say=said.append) == first
    assert state.remembered_ports() == first
    assert said == []


def test_a_taken_port_is_replaced_and_that_is_said(state: State) -> None:
    said: list[str] = []
    port = state.ports(["database"], say=said.append)["database"]
    with socket.create_server((ports.LOOPBACK, port)):
        fresh = state.ports(["database"], say=said.append)["database"]
    assert fresh != port
    assert said == [f"port {port} (database) is taken by another program; using {fresh}"]
    assert state.remembered_ports() == {"database": fresh}


def test_a_taken_grpc_port_replaces_its_pair(state: State) -> None:
    said: list[str] = []
    port = state.ports(["s3"], say=said.append, pairs=True)["s3"]
    with socket.create_server((ports.LOOPBACK, port + ports.GRPC_OFFSET)):
        assert state.ports(["s3"], say=said.append, pairs=True)["s3"] != port
    assert len(said) == 1


@pytest.mark.parametrize("content", ["", "[1]", '{"a": "x"}', '{"a": null}'])
def test_damaged_ports_are_chosen_afresh(state: State, content: str) -> None:
    (state.root / "ports.json").write_text(content, encoding="utf-8")
    chosen = state.ports(["a"], say=lambda _: None)
    assert json.loads((state.root / "ports.json").read_text("utf-8")) == chosen


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EmbeddedError, match=r"file/\.bounty-ops cannot be written"):
        State(tmp_path / "file" / ".bounty-ops").prepare()


def test_chosen_ports_are_free_distinct_and_below_those_of_outgoing_connections() -> None:
    chosen = ports.choose(20, pairs=True)
    assert len(set(chosen)) == 20
    for port in chosen:
        assert ports.is_free(port)
        assert 1024 < port < port + ports.GRPC_OFFSET < 32768


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("", 0)) as everywhere:
        assert not ports.is_free(everywhere.getsockname()[1])


def test_ports_to_avoid_are_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_HIGHEST", ports._LOWEST + 1)
    avoided = frozenset({ports._LOWEST, ports._LOWEST + 1})
    with pytest.raises(EmbeddedError, match="no free port"):
        ports.choose(1, avoid=avoided)
