"""What `pipeline check` finds when one declaration of this repository is changed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.check.against import files_at
from pipeline.check.all import check
from pipeline.cli import main
from pipeline.declared.files import read_files
from pipeline.declared.project import read_project
from pipeline.errors import DeclarationError, SettingsError
from tests.conftest import ROOT


def findings(project_dir: Path) -> list[str]:
    return [f"{one.path}:{one.line}: {one.what}; {one.why}; {one.fix}" for one in check(read_files(project_dir))]


def change(project_dir: Path, path: str, old: str, new: str) -> None:
    text = (project_dir / path).read_text(encoding="utf-8")
    assert old in text, f"{path} no longer holds {old}"
    (project_dir / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_declarations_of_this_repository_are_sound() -> None:
    assert findings(ROOT) == []


CHANGES = [
    # connectors
    ("connectors/users.json", "${env:PG_PASSWORD}", "hunter2", r"users.json:9: connection.password holds a secret"),
    (
        "connectors/users.json",
        "${env:PG_JDBC_URL}",
        "jdbc:postgresql://db/x",
        r"users.json:7: connection.url holds the ad",
    ),
    ("connectors/users.json", '"tasks.max": "1"', '"x": "10.0.0.7"', r"users.json:4: x holds the address 10.0.0.7"),
    (
        "connectors/users.json",
        '"tasks.max": "1"',
        '"x": "kafka.example:9092"',
        r"x holds the address kafka.example:9092",
    ),
    ("connectors/users.json", '"users,', '"nobody,', r"users.json:5: topics: nobody is declared nowhere"),
    (
        "connectors/users.json",
        "dlq.users",
        "dlq.nobody",
        r"errors.deadletterqueue.topic.name: dlq.nobody is not declared",
    ),
    (
        "connectors/users.json",
        "connect.DeadLetterSerializer",
        "connect.Other",
        r"users.json:\d+: producer.override.value.serializer is useranalytics.connect.Other, though records wait",
    ),
    (
        "connectors/users.json",
        "connect.LetterReceipts",
        "connect.Other",
        r"users.json:\d+: producer.override.interceptor.classes is useranalytics.connect.Other.*add .*LetterReceipts",
    ),
    ("connectors/dead-letters.json", r"dlq\\..+", "nothing", r"topics.regex: nothing fits no topic"),
    ("connectors/dead-letters.json", r"dlq\\..+", "(", r"topics.regex is no regular expression"),
    (
        "connectors/users.json",
        '": "users",',
        '": "people",',
        r"no script in sql/ creates table people.*add sql/NN_people",
    ),
    ("connectors/users.json", 'fields": "user_id"', 'fields": "email"', r"email is not the primary key of users"),
    # topics
    ("topics.yaml", "dlq.users:", "dlq.people:", r"topics.yaml:\d+: dlq.people is the dead letters of no connector"),
    (
        "topics.yaml",
        "\nusers:",
        "\npeople:",
        r"users-value.avsc:1: subject users-value belongs to topic users, which is",
    ),
    (
        "topics.yaml",
        "10368000000",
        "1000",
        r"topics.yaml:17: retention.ms of first-events is 1000.*RETENTION is 10368000000",
    ),
    (
        "topics.yaml",
        "\nuser-events:",
        "\nu:",
        r"01_user_events.sql:2: USER_EVENTS reads topic user-events, which is dec",
    ),
    # ksql
    ("ksql/02_first_events.sql", "PARTITIONS = 4", "PARTITIONS = 3", r"PARTITIONS = 3, but topics.yaml:\d+ gives .* 4"),
    (
        "ksql/04_user_stats.sql",
        "FROM events",
        "FROM evens",
        r"04_user_stats.sql:8: USER_STATS reads EVENS, which no file",
    ),
    ("ksql/03_events.sql", "country STRING", "land STRING", r"03_events.sql:9: LAND is no field of topic first-events"),
    (
        "ksql/03_events.sql",
        "DECIMAL(12, 2)",
        "DOUBLE",
        r"03_events.sql:14: AMOUNT is DOUBLE, but the topic holds DECIMAL\(12",
    ),
    ("ksql/03_events.sql", "occurred_at'", "at'", r"TIMESTAMP = 'at' is no column of EVENTS"),
    (
        "ksql/03_events.sql",
        "STREAM events",
        "STREAM user_events",
        r"USER_EVENTS is declared in ksql/01_user_events.sql, too",
    ),
    (
        "ksql/04_user_stats.sql",
        "AS total_events",
        "AS events_count",
        r"04_user_stats.sql:16: EVENTS_COUNT has no column in u",
    ),
    (
        "ksql/04_user_stats.sql",
        "AVG(CASE",
        "MAX(CASE",
        r"AVG_SESSION_SECONDS: INTEGER does not fit into double precision",
    ),
    (
        "ksql/04_user_stats.sql",
        "COUNT(*) AS total",
        "MAX(country) AS total",
        r"TOTAL_EVENTS: STRING does not fit into bigint",
    ),
    # schemas
    ("schemas/users-value.avsc", '"email"', '"mail"', r"users-value.avsc:8: mail has no column in users"),
    (
        "schemas/users-value.avsc",
        '"email"',
        '"mail"',
        r"02_users.sql:4: users.email is NOT NULL, has no default, and sin",
    ),
    (
        "schemas/users-value.avsc",
        '"email"',
        '"mail"',
        r"users.json:\d+: transforms.declared.include leaves out mail, see",
    ),
    (
        "connectors/users.json",
        "email,",
        "e_mail,",
        r"users.json:\d+: .* names e_mail, which the topic's schema has not",
    ),
    ("schemas/users-value.avsc", '"boolean"', '"int"', r"is_active: INTEGER does not fit into boolean"),
    (
        "schemas/users-value.avsc",
        '"boolean"',
        '["null", "boolean"]',
        r"is_active: may be null, but is_active is NOT NULL",
    ),
    (
        "schemas/user-events-value.avsc",
        '"precision": 12',
        '"precision": 14',
        r"DECIMAL\(14, 2\) does not fit into decimal\(12",
    ),
    (
        "schemas/user-events-value.avsc",
        '"x", "type": ["null", "int"]',
        '"x", "type": ["null", "long"]',
        r"x: BIGINT does not",
    ),
    # sql
    (
        "sql/02_users.sql",
        "TABLE IF NOT EXISTS",
        "TABLE",
        r"02_users.sql:2: CREATE TABLE fails .* the second time; .*IF NOT EX",
    ),
    ("sql/04_user_stats.sql", "OR REPLACE VIEW", "VIEW", r"04_user_stats.sql:41: CREATE VIEW fails.*CREATE OR REPLACE"),
    ("sql/02_users.sql", ");\n", ");\nDROP TABLE x;", r"02_users.sql:11: DROP TABLE fails.*IF EXISTS"),
    (
        "sql/02_users.sql",
        ");\n",
        ");\nUPDATE users SET email = 'x';",
        r"02_users.sql:11: UPDATE USERS fails.*migrations",
    ),
    (
        "sql/02_users.sql",
        ");\n",
        ");\nINSERT INTO users VALUES (1);",
        r"02_users.sql:11: INSERT INTO fails.*ON CONFLICT",
    ),
    (
        "sql/02_users.sql",
        ");\n",
        ");\nALTER TABLE users ADD COLUMN a int;",
        r"02_users.sql:11: ALTER TABLE fails.*migrat",
    ),
    (
        "sql/02_users.sql",
        ");\n",
        ");\nBEGIN;",
        r"02_users.sql:11: BEGIN does not belong here; each file runs in one tran",
    ),
    ("sql/02_users.sql", "    email text", "    email text text (", r"02_users.sql:\d+: not PostgreSQL"),
    ("sql/02_users.sql", "'%_@_%'", "'%_@_%", r"02_users.sql:1: not PostgreSQL"),
]


@pytest.mark.parametrize(("path", "old", "new", "expected"), CHANGES, ids=[f"{c[0]} {c[2]}" for c in CHANGES])
def test_a_contradiction_is_found_where_it_is(project_dir: Path, path: str, old: str, new: str, expected: str) -> None:
    change(project_dir, path, old, new)
    found = findings(project_dir)
    assert any(re.search(expected, one) for one in found), found


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("CREATE TYPE mood AS ENUM ('a');", "make it a migration"),
        ("CREATE SEQUENCE s;", "write IF NOT EXISTS"),
        ("ALTER TABLE users ADD CONSTRAINT c CHECK (true);", "or make it a migration"),
        ("ALTER TABLE users ADD COLUMN IF NOT EXISTS a int, DROP COLUMN b;", "or make it a migration"),
        ("ALTER TABLE users RENAME COLUMN email TO mail;", "or make it a migration"),
    ],
)
def test_what_may_run_only_once_is_named_with_the_way_out(project_dir: Path, line: str, fix: str) -> None:
    change(project_dir, "sql/02_users.sql", ");\n", f");\n{line}")
    (found,) = findings(project_dir)
    assert found.startswith("sql/02_users.sql:11: ")
    assert fix in found


@pytest.mark.parametrize(
    "line",
    [
        "ALTER TABLE users ADD COLUMN IF NOT EXISTS a int;",
        "ALTER TABLE users DROP CONSTRAINT IF EXISTS a;",
        "ALTER TABLE users ALTER COLUMN email SET DEFAULT 'x', ALTER COLUMN email DROP DEFAULT;",
        "ALTER TABLE users SET (fillfactor = 70);",
        "DROP TABLE IF EXISTS x;",
        "INSERT INTO users VALUES (1) ON CONFLICT DO NOTHING;",
        "COMMENT ON TABLE users IS 'x';",
    ],
)
def test_what_may_run_again_is_left_alone(project_dir: Path, line: str) -> None:
    change(project_dir, "sql/02_users.sql", ");\n", f");\n{line}")
    assert findings(project_dir) == []


@pytest.mark.parametrize(
    "line",
    [
        "BEGIN;",
        "START TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
        "/* and so on */ commit and chain;",
        "END;",
        "ROLLBACK;",
        "ABORT;",
        "SAVEPOINT a;",
        "RELEASE a;",
        "PREPARE TRANSACTION 'a';",
    ],
)
@pytest.mark.parametrize("folder", ["sql", "sql/migrations"])
def test_no_script_begins_or_ends_a_transaction(project_dir: Path, folder: str, line: str) -> None:
    path = project_dir / folder / "0009_x.sql"
    path.write_text(f"-- One row: x.\nSELECT 1;\n{line}\n", encoding="utf-8")
    expected = re.compile(rf"{folder}/0009_x.sql:3: [A-Z ]+ does not belong here; each file runs in .*; remove it")
    assert [one for one in findings(project_dir) if expected.match(one)]
    with pytest.raises(DeclarationError, match=expected):  # before anything is tried in PostgreSQL
        read_project(project_dir)


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN PERFORM 1; COMMIT; END $$;",
        "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;",
        "COMMENT ON TABLE users IS 'a; COMMIT;';",
        "SELECT CASE WHEN true THEN 1 END; -- COMMIT;",
    ],
)
def test_the_words_of_a_transaction_may_stand_in_a_body_a_text_or_a_comment(project_dir: Path, text: str) -> None:
    (project_dir / "sql" / "09_x.sql").write_text(f"-- One row: x.\n{text}\n", encoding="utf-8")
    assert findings(project_dir) == []
    assert "x" in {script.name for script in read_project(project_dir).sql}


def test_a_select_that_takes_everything_has_the_columns_of_its_source(project_dir: Path) -> None:
    (project_dir / "ksql" / "05_copy.sql").write_text(
        "CREATE STREAM copy WITH (KAFKA_TOPIC = 'user-stats') AS SELECT * FROM events;", encoding="utf-8"
    )
    assert findings(project_dir) == []


def test_a_subject_without_key_or_value_is_no_topics(project_dir: Path) -> None:
    (project_dir / "schemas" / "users.avsc").write_text('{"type": "string"}', encoding="utf-8")
    assert findings(project_dir)[0].startswith("schemas/users.avsc:1: subject users is no topic's")


def test_all_files_that_cannot_be_understood_are_named_at_once(project_dir: Path) -> None:
    (project_dir / "connectors" / "users.json").write_text("{", encoding="utf-8")
    (project_dir / "schemas" / "users-value.avsc").write_text("[]", encoding="utf-8")
    change(project_dir, "topics.yaml", "partitions: 4", "partitions: 0")
    paths = {one.partition(":")[0] for one in findings(project_dir)}
    assert {"connectors/users.json", "schemas/users-value.avsc", "topics.yaml"} <= paths


def git(project_dir: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", "-C", str(project_dir), *identity, *arguments], check=True, capture_output=True)


def test_a_schema_that_cannot_read_what_the_one_at_a_ref_wrote_is_found(project_dir: Path) -> None:
    git(project_dir, "init", "--initial-branch=main")
    git(project_dir, "add", ".")
    git(project_dir, "commit", "--message=before")
    assert check(read_files(project_dir), files_at(project_dir, "main")) == []
    change(project_dir, "schemas/users-value.avsc", '"fields": [', '"fields": [{"name": "nick", "type": "string"},')
    change(project_dir, "sql/02_users.sql", "email text", "nick text,\nemail text")
    change(project_dir, "connectors/users.json", '"user_id,email,', '"nick,user_id,email,')
    (finding,) = check(read_files(project_dir), files_at(project_dir, "main"))
    assert (str(finding.path), finding.line) == ("schemas/users-value.avsc", 6)
    assert finding.what == "not BACKWARD compatible: nick is new and has no default"
    with pytest.raises(SettingsError, match=r"--against nowhere: .*Name a branch, tag or commit"):
        files_at(project_dir, "nowhere")


def test_the_command_exits_2_on_findings_and_0_without(project_dir: Path) -> None:
    good = CliRunner().invoke(main, ["--project", str(project_dir), "check"])
    assert (good.exit_code, good.stdout.partition(": ")[0]) == (0, "sound")
    change(project_dir, "connectors/users.json", "${env:PG_PASSWORD}", "hunter2")
    bad = CliRunner().invoke(main, ["--project", str(project_dir), "check"])
    assert bad.exit_code == 2
    assert "connectors/users.json:9: connection.password holds a secret as it is; " in bad.stdout
    assert "hunter2" not in bad.stdout
    listed = json.loads(CliRunner().invoke(main, ["--project", str(project_dir), "check", "--json"]).stdout)
    assert listed["findings"][0]["path"] == "connectors/users.json"
    assert listed["ok"] is False
