"""The benchmark judges every file causally and reads no labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks.anomaly_alarm_rate import clean_part, rate_of
from benchmarks.anomaly_quality import batches_of, files_of, judged, main

SAMPLES = 400
HISTORY = 200


def folder(path: Path, files: dict[str, np.ndarray], history: dict[str, int] | None = None) -> Path:
    """Write files of samples x metrics every five minutes, with a manifest and no labels."""
    rows = []
    for name, values in files.items():
        times = pd.date_range("2020-01-01", periods=len(values), freq="5min")
        metrics = values.shape[1]
        columns = ["value"] if metrics == 1 else [f"m{at + 1:02d}" for at in range(metrics)]
        frame = pd.DataFrame(values, columns=columns)
        frame.insert(0, "timestamp", times)
        frame.to_csv(path / f"{name}.csv", index=False)
        rows.append(
            {
                "dataset": "D",
                "series": name,
                "file": f"{name}.csv",
                "interval_s": 300,
                "n_metrics": metrics,
                "n_rows": len(values),
                "score_from_row": (history or {}).get(name, HISTORY),
            }
        )
    pd.DataFrame(rows).to_csv(path / "manifest.csv", index=False)
    return path


def noise(seed: int, metrics: int = 1, samples: int = SAMPLES) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(samples, metrics))


def scores_of(path: Path, name: str, detector: str = "ensemble") -> np.ndarray:
    for batch in batches_of(files_of(path)):
        for row, file in enumerate(batch.files):
            if file.series == name:
                return judged(batch, detector).scores[row, batch.columns_of(file)]
    raise AssertionError(name)


def test_every_file_gets_a_score_and_an_alert_for_every_row(tmp_path):
    strange = noise(1)
    strange[300:320] += 30
    data = folder(tmp_path, {"a": strange, "b": noise(2), "host": noise(3, metrics=3)})
    result = CliRunner().invoke(main, ["--data", str(data), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    written = {one.stem: pd.read_csv(one) for one in (tmp_path / "out" / "D").glob("*.csv")}
    assert set(written) == {"a", "b", "host"}
    for frame in written.values():
        assert list(frame.columns) == ["timestamp", "anomaly_score", "is_alert"]
        assert len(frame) == SAMPLES
        assert frame["anomaly_score"][HISTORY:].notna().all()
    alerts = np.flatnonzero(written["a"]["is_alert"])
    assert 300 <= alerts[0] <= 320


def test_what_comes_later_changes_no_earlier_score(tmp_path):
    values = noise(1)
    before = scores_of(folder(tmp_path, {"a": values}), "a")
    values[300:] += 50
    after = scores_of(folder(tmp_path, {"a": values}), "a")
    np.testing.assert_array_equal(before[:300], after[:300])
    assert (after[300:310] > before[300:310]).all()


@pytest.mark.parametrize("metrics", [1, 3])
def test_what_another_file_holds_changes_no_score(tmp_path, metrics):
    files = {"a": noise(1, metrics), "b": noise(2, metrics)}
    before = scores_of(folder(tmp_path, files), "a")
    files["b"] = files["b"] * 100 + np.arange(SAMPLES)[:, None]
    np.testing.assert_array_equal(before, scores_of(folder(tmp_path, files), "a"))


def test_a_file_with_a_shorter_history_is_judged_from_its_own_scored_part_on(tmp_path):
    files = {"a": noise(1), "late": noise(2, samples=SAMPLES - 100)}
    data = folder(tmp_path, files, {"late": HISTORY - 100})
    scores = scores_of(data, "late")
    assert len(scores) == SAMPLES - 100
    assert np.isnan(scores[:20]).all()
    assert np.isfinite(scores[HISTORY - 100 :]).all()


def test_the_alarm_rate_is_measured_on_the_unlabelled_part_alone(tmp_path):
    values = noise(1)
    values[HISTORY:] += 100
    (batch,) = batches_of(clean_part(one) for one in files_of(folder(tmp_path, {"a": values})))
    rate = rate_of(batch, "robust-zscore")
    assert rate.samples == int(0.4 * HISTORY)
    assert rate.anomalous_samples == 0
