from __future__ import annotations

import os
import re
import socket
import stat
from functools import partial
from pathlib import Path

import psutil
import pytest

from embedded.errors import EmbeddedError
from embedded.installation import Installation
from embedded.ports import HOST, choose_ports, claimed, is_free
from embedded.processes import Identity, find, identify
from embedded.servers.catalogue import PORT_NAMES, all_servers, with_needed
from embedded.servers.interface import Stack, base_environment, properties
from embedded.stack import stop
from embedded.state import SERVER_NAMES, ServerState, StackState, StateDir
from embedded.supervisor import log_tail, stop_order


@pytest.fixture
def state_dir(tmp_path: Path) -> StateDir:
    directory = StateDir(tmp_path / "state")
    directory.create()
    return directory


@pytest.fixture
def stack(state_dir: StateDir) -> Stack:
    ports = {name: 20_000 + number for number, name in enumerate(PORT_NAMES)}
    return Stack(state_dir, ports, "hidden", Installation(java=None))


def test_the_state_reads_back_as_it_was_written(state_dir: StateDir) -> None:
    server = ServerState("kafka", "127.0.0.1:1", "running", Identity(7, 1.5), 2, 0.3, "")
    state = StackState(Identity(1, 2.0), 3, {"kafka": server})
    state_dir.write(state)
    assert state_dir.read() == state


@pytest.mark.parametrize("damaged", ["{", "[]", '{"servers": {"kafka": {"colour": "red"}}}', '{"supervisor": 7}'])
def test_a_damaged_state_file_is_named_with_a_next_step_that_needs_no_state(state_dir: StateDir, damaged: str) -> None:
    state_dir.write_text("state.json", damaged)
    with pytest.raises(EmbeddedError, match=r"state\.json is damaged .*; end what .* \(pkill .*\), delete that file"):
        state_dir.read()


def test_a_directory_that_holds_what_no_stack_has_written_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "ksql"
    foreign.mkdir()
    for use in (StateDir(tmp_path).create, partial(stop, StateDir(tmp_path), delete_data=True)):
        with pytest.raises(EmbeddedError, match="is no state directory: it holds ksql, which no stack has written"):
            use()
    assert list(tmp_path.iterdir()) == [foreign]


def test_a_stack_may_be_below_another_one(state_dir: StateDir) -> None:
    StateDir(state_dir.path.parent).create()
    StateDir(state_dir.path.parent).create()


def test_files_with_secrets_are_for_their_owner_only(state_dir: StateDir) -> None:
    password = state_dir.password()
    assert password == state_dir.password()
    path = state_dir.path / "postgres-password"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state_dir.path.stat().st_mode) == 0o700


def test_a_port_is_kept_while_it_is_free_and_chosen_anew_when_taken() -> None:
    ports = choose_ports(["a", "b"], {})
    assert choose_ports(["a", "b"], ports, free=lambda _: True) == ports
    moved = choose_ports(["a", "b"], ports, free=lambda port: port != ports["a"])
    assert moved["b"] == ports["b"]
    assert moved["a"] not in {ports["a"], ports["b"]}


def test_a_port_that_our_own_server_uses_is_kept() -> None:
    ports = {"a": 20_001}
    assert choose_ports(["a"], ports, in_use_by_us=["a"], free=lambda _: False) == ports


def test_no_free_port_at_all_is_an_error_with_the_next_step() -> None:
    with pytest.raises(EmbeddedError, match="no free port between 20000 and"):
        choose_ports(["a"], {}, free=lambda _: False)


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])


def test_a_port_that_a_booting_stack_has_claimed_is_not_free_until_the_claim_ends() -> None:
    ports = choose_ports(["a", "b"], {})
    with claimed(ports.values()):
        assert not any(is_free(port) for port in ports.values())
        assert not set(choose_ports(["a", "b"], ports).values()) & set(ports.values())
    assert all(is_free(port) for port in ports.values())


def test_a_process_is_recognised_by_pid_and_start_time() -> None:
    ours = identify(os.getpid())
    assert find(ours) is not None
    assert find(Identity(ours.pid, "another boot/100")) is None
    assert find(None) is None


def test_a_process_in_the_state_file_of_an_older_version_is_recognised() -> None:
    created = psutil.Process().create_time()
    assert find(Identity(os.getpid(), created)) is not None
    assert find(Identity(os.getpid(), created - 100)) is None


@pytest.mark.skipif(not psutil.LINUX, reason="only there the time of a start moves with the clock")
def test_a_step_of_the_wall_clock_makes_no_process_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = identify(os.getpid())
    now = Path("/proc/stat").read_text(encoding="utf-8")
    later = re.sub(r"(?<=btime )\d+", lambda boot: str(int(boot[0]) + 3600), now)
    (tmp_path / "stat").write_text(later, encoding="utf-8")
    (tmp_path / str(ours.pid)).symlink_to(f"/proc/{ours.pid}")
    created = psutil.Process().create_time()
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert psutil.Process().create_time() == created + 3600
    assert find(ours) is not None


def test_servers_come_with_those_they_need_and_in_the_order_of_the_contract(stack: Stack) -> None:
    assert with_needed(stack, ["registry"]) == ["registry", "postgres"]
    assert with_needed(stack, ["ksql"]) == ["kafka", "registry", "postgres", "ksql"]
    assert tuple(server.name for server in all_servers(stack)) == SERVER_NAMES


def test_a_server_stops_only_after_those_that_use_it(stack: Stack) -> None:
    waves = [[server.name for server in wave] for wave in stop_order(all_servers(stack))]
    assert waves == [["connect", "ksql"], ["registry"], ["kafka", "postgres"]]


def test_no_password_is_among_the_arguments_of_a_process(stack: Stack) -> None:
    ksql = all_servers(stack)[-1]
    assert not any("hidden" in str(argument) for argument in ksql.launch().arguments)
    assert stack.dsn("analytics") == "postgresql://analytics:hidden@127.0.0.1:20005/analytics"


def test_servers_do_not_inherit_what_could_change_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1m")
    monkeypatch.setenv("PGPASSWORD", "hidden")
    assert not {"JAVA_TOOL_OPTIONS", "PGPASSWORD"} & base_environment().keys()


def test_backslashes_and_letters_beyond_latin_survive_in_a_properties_file() -> None:
    assert properties({"path": "C:\\λδ", "n": 1}) == "path=C:\\\\\\u03bb\\u03b4\nn=1\n"


def test_the_tail_of_a_log_names_its_file(state_dir: StateDir) -> None:
    assert log_tail(state_dir, "kafka") == ""
    state_dir.log_file("kafka").write_text("".join(f"line {n}\n" for n in range(100)), encoding="utf-8")
    tail = log_tail(state_dir, "kafka")
    assert tail.startswith(f"last lines of {state_dir.log_file('kafka')}:")
    assert tail.endswith("line 99")
    assert "line 74" not in tail
