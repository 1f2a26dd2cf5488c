"""`check` and `list`: what they say about good scenarios, and that they start fast."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli import main
from tests.helpers.scenarios import MINIMAL, changed

ROOT = Path(__file__).parents[4]
HEAVY = {"simpy", "pandas", "numpy", "pyarrow", "matplotlib", "rich", "jinja2"}


def test_check_says_what_a_scenario_amounts_to(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(MINIMAL)
    result = CliRunner().invoke(main, ["check", str(tmp_path / "good.toml"), "--seed", "5", "--json"])
    checked = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (checked["name"], checked["seed"], checked["duration"], checked["orders"]) == ("good", 5, "1s", 50)


def test_check_and_list_know_scenarios_of_an_index_desk() -> None:
    path = ROOT / "scenarios" / "index_day.toml"
    checked = json.loads(CliRunner().invoke(main, ["check", str(path), "--json"]).stdout)
    assert checked["has"] == {"assets": 6, "indexes": 3, "users": 13}
    listed = CliRunner().invoke(main, ["list", str(path.parent)]).stdout
    for name in ("index_day.toml", "index_sbe.toml", "quickstart.toml"):
        assert name in listed
    assert "cannot run" not in listed


def test_check_reads_the_recordings(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("time,price\n0,2000\n1,2001\n")
    (tmp_path / "good.toml").write_text(changed(('{ constant = "2000" }', '{ replay = "prices.csv" }')))
    result = CliRunner().invoke(main, ["check", str(tmp_path / "good.toml")])
    assert "pair.ETHUSDC: 2 rows, 0 dropped" in result.stdout.splitlines()
    (tmp_path / "prices.csv").write_text("time,price\n0,2000\n1,-1\n")
    result = CliRunner().invoke(main, ["check", str(tmp_path / "good.toml")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 3: price" in result.stderr


def test_check_counts_the_recorded_orders_that_will_be_sent_and_the_prices_that_will_be_shown(tmp_path: Path) -> None:
    trades = "".join(f"{tenth / 10},2000,1\n" for tenth in range(100))
    (tmp_path / "tape.csv").write_text(f"time,price,quantity\n{trades}")
    recorded = '{ replay = "tape.csv" }'
    text = changed(
        ('"1s"', '"1s"\ndrain = "2s"'), ('{ constant = "2000" }', recorded), ('{ poisson = "20ms" }', recorded)
    )
    (tmp_path / "good.toml").write_text(text)
    result = CliRunner().invoke(main, ["check", str(tmp_path / "good.toml")])
    _, about, *rows = result.stdout.splitlines()
    assert about.startswith("about 10 orders in 1s")
    assert rows == ["pair.ETHUSDC: 31 rows, 0 dropped", "market_maker.MM1: 10 rows, 0 dropped"]
    run = CliRunner().invoke(main, ["run", str(tmp_path / "good.toml"), "--out", str(tmp_path / "runs"), "--json"])
    assert json.loads(run.stdout)["summary"]["orders"] == 10


def test_list_shows_seed_duration_and_header_of_each_scenario(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f"# What it shows.\n# And more.\n{MINIMAL}")
    (tmp_path / "b.toml").write_text('extends = "a.toml"\nrun.seed = 4\n')
    (tmp_path / "broken.toml").write_text("[run]\n")
    (tmp_path / "golden.toml").write_text('[digests]\na = "00"\n')
    result = CliRunner().invoke(main, ["list", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "a.toml       seed 1        1s  What it shows.",
        "b.toml       seed 4        1s  ",
        f"broken.toml  cannot run: {tmp_path}/broken.toml: run: `duration` is missing",
    ]


def test_list_of_nothing_says_so(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["list", str(tmp_path)]).stdout == f"{tmp_path}: no scenarios\n"
    missing = CliRunner().invoke(main, ["list", str(tmp_path / "none")])
    assert (missing.exit_code, missing.stderr.splitlines()[0]) == (2, f'error: no such folder "{tmp_path / "none"}"')
    (tmp_path / "one.toml").write_text("")
    file = CliRunner().invoke(main, ["list", str(tmp_path / "one.toml")])
    assert file.stderr.splitlines()[1] == f"hint: try: romer-sim check {tmp_path / 'one.toml'}"


def test_every_scenario_of_the_gallery_is_listed_and_can_run() -> None:
    listed = json.loads(CliRunner().invoke(main, ["list", str(ROOT / "scenarios"), "--json"]).stdout)["scenarios"]
    assert {"quickstart.toml", "replay_trades.toml", "replay_bars.toml"} <= {each["file"] for each in listed}
    for each in listed:
        assert each["problem"] is None
        assert each["about"]


def test_the_quickstart_is_a_few_thousand_orders_in_ten_seconds() -> None:
    result = CliRunner().invoke(main, ["check", str(ROOT / "scenarios/quickstart.toml"), "--json"])
    checked = json.loads(result.stdout)
    assert checked["duration"] == "10s"
    assert checked["has"] == {"pairs": 2, "market makers": 3, "solvers": 4}
    assert 1_500 <= checked["orders"] <= 2_500


@pytest.mark.parametrize("command", [["check", "scenarios/quickstart.toml"], ["list"], ["--help"]])
def test_what_runs_nothing_imports_nothing_heavy(command: list[str]) -> None:
    code = "import sys\nfrom sim.__main__ import main\ntry:\n    main()\nfinally:\n    print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())
