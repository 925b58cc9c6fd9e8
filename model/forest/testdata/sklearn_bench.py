#!/usr/bin/python3
"""scikit-learn's Isolation Forest on the rows of our benchmarks, on one core.

    apt-get install python3-sklearn
    go test ./model/forest -run TestWriteBenchRows -rows=/tmp/rows.csv
    go test ./model/forest -run '^$' -bench 'Score|MeanPaths/workers=1|Grow$' -count 5
    model/forest/testdata/sklearn_bench.py /tmp/rows.csv

and, for the AUC of ten seeds beside those of TestThePapersTable:

    model/forest/testdata/sklearn_bench.py --tables FOLDER [--seeds 10]

Times are CPU time, the best of several rounds: a busy machine spoils them less.
"""
import argparse
import glob
import os
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score


def best(rounds, call):
    """CPU seconds of the fastest call."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return min(times)


def new_forest(seed=1):
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1)


def speed(path):
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    forest = new_forest().fit(rows)
    print(f"scikit-learn {sklearn.__version__}, {rows.shape[0]} rows of {rows.shape[1]} features, 100 trees of 256 rows")
    print(f"fit            {best(5, lambda: new_forest().fit(rows)) * 1e3:10.1f} ms")
    print(f"score, batch   {best(3, lambda: forest.score_samples(rows)) / len(rows) * 1e9:10.0f} ns/row")
    one = rows[:1]
    print(f"score, one row {best(20, lambda: forest.score_samples(one)) * 1e9:10.0f} ns/row")


def tables(folder, seeds):
    for path in sorted(glob.glob(os.path.join(folder, "*.csv.gz"))):
        data = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
        rows, label = data[:, :-1], data[:, -1]
        auc, precision = [], []
        for seed in range(1, seeds + 1):
            scores = -new_forest(seed).fit(rows).score_samples(rows)
            auc.append(roc_auc_score(label, scores))
            precision.append(average_precision_score(label, scores))
        name = os.path.basename(path).split(".")[0]
        print(f"{name:12} AUC {np.mean(auc):.4f} ± {np.std(auc, ddof=1) if seeds > 1 else 0:.4f}, AP {np.mean(precision):.4f}", flush=True)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("rows", nargs="?", help="CSV without header")
parser.add_argument("--tables", metavar="FOLDER")
parser.add_argument("--seeds", type=int, default=10)
args = parser.parse_args()
if not args.rows and not args.tables:
    parser.error("nothing to do: give rows or --tables")
if args.rows:
    speed(args.rows)
if args.tables:
    tables(args.tables, args.seeds)
