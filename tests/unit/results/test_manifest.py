from __future__ import annotations

import re

import msgspec
import pytest

from sim.results import manifest as module
from sim.results.manifest import Manifest, provenance
from tests.unit.results.stories import manifest


def test_the_run_name_is_scenario_seed_and_the_start_of_the_digest() -> None:
    assert manifest(name="x", seed=7, digest="fedcba9876543210").run_name == "x/7-fedcba98"


def test_a_manifest_survives_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(manifest()), type=Manifest) == manifest()


def test_provenance_names_the_code_and_the_machine() -> None:
    found = provenance()
    assert found.commit == "" or re.fullmatch(r"[0-9a-f]{40}", found.commit)
    assert found.versions["romer"]
    assert found.python.startswith("3.")


def test_code_that_is_no_checkout_has_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    assert (provenance().commit, provenance().dirty) == ("", False)
