"""Times an Isolation Forest library of Python on the rows of a file, on one core.

    rivals.py scikit-learn|isotree ROWS.f32 FEATURES

Prints JSON: seconds of CPU and of wall clock for fitting 100 trees of 256 rows,
for scoring all rows in a batch, and for scoring one row.
"""
import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

library, path, features = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows = np.fromfile(path, dtype="<f4").reshape(-1, features)

if library == "scikit-learn":
    import sklearn
    from sklearn.ensemble import IsolationForest

    version = "scikit-learn " + sklearn.__version__

    def new():
        return IsolationForest(n_estimators=100, max_samples=256, random_state=1, n_jobs=1)

    def score(forest, rows):
        return forest.score_samples(rows)
else:
    import isotree

    version = "isotree " + isotree.__version__
    rows = rows.astype(np.float64)

    def new():
        return isotree.IsolationForest(ntrees=100, sample_size=256, ndim=1, missing_action="fail", nthreads=1, random_seed=1)

    def score(forest, rows):
        return forest.predict(rows)


def timed(call, times):
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        call()
    return [(time.process_time() - cpu) / times, (time.perf_counter() - wall) / times]


forest = new().fit(rows)
json.dump({
    "version": version,
    "fit": timed(lambda: new().fit(rows), 1),
    "batch": timed(lambda: score(forest, rows), 1),
    "one": timed(lambda: score(forest, rows[:1]), 20),
}, sys.stdout)
