"""The plan of a shard: labels and work of its own scenarios."""

from pathlib import Path

from tests.fixtures.program import call, records

RUN = ("--batch", "--demo", "--limit", "6", "--conditions", "baseline,pro", "--max-tokens", "24")


def test_a_shards_plan_counts_its_own_labels_and_then_all_are_there(tmp_path: Path) -> None:
    shard = (*RUN, "--shard", "1/3", "--db", "a.db", "--no-control")
    code, out, err = call(*shard, cwd=tmp_path)
    assert code == 0, err
    assert "Trials  12: 0 answered before, 4 to do" in err + out
    assert "Judge   local:demo: 4 labels pending" in err + out
    code, out, err = call(*shard, cwd=tmp_path)
    assert "Trials  12: 4 answered before, 0 to do" in err + out
    assert "Judge   local:demo: up to date" in err + out
    other = (*RUN, "--shard", "2/3", "--db", "a.db", "--no-control", "--json")
    code, out, err = call(*other, cwd=tmp_path)
    assert (code, sum(r["event"] == "judged" for r in records(out))) == (0, 4), err


def test_a_dry_run_of_a_shard_says_that_its_numbers_are_those_of_all_shards(tmp_path: Path) -> None:
    code, out, err = call(*RUN, "--shard", "2/3", "--db", "a.db", "--plan", cwd=tmp_path)
    assert code == 0, err
    assert "Shard   2/3: one of 3 parts of the scenarios; the numbers above are those of" in out
    whole = call(*RUN, "--db", "a.db", "--plan", cwd=tmp_path)[1]
    assert "Shard" not in whole
