from __future__ import annotations

import subprocess
import sys

import pytest

from pid_core import ESTIMATORS, PidError


def test_every_name_in_the_table_can_be_imported():
    assert "certified" in ESTIMATORS
    for name in ESTIMATORS:
        assert callable(ESTIMATORS[name])
    assert len(ESTIMATORS) == len(list(ESTIMATORS))


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(PidError, match=r"no estimator is called 'certify'; did you mean"):
        ESTIMATORS["certify"]
    with pytest.raises(PidError, match=r"known: .*certified"):
        ESTIMATORS["xyz"]
    assert "xyz" not in ESTIMATORS


def test_importing_the_package_stays_light_and_silent():
    program = (
        "import sys, pid_core\n"
        "heavy = {'torch', 'streamlit', 'duckdb', 'transformers', 'plotly', 'pandas', 'cvxpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "half = [[0.5, 0.5]] * 4\n"
        "xor = pid_core.Channels(full=[[1, 0], [0, 1]] * 2, only_1=half, only_2=half)\n"
        "pid_core.estimate(xor)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
