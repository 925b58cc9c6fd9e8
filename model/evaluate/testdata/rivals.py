#!/usr/bin/env python3
"""scikit-learn's forest on the same rows and seeds, with others' features.

    python3 model/evaluate/testdata/rivals.py ../shared/datasets/zeek-labelled

Trained on the ordinary rows of ctu-mixed-008, tested on 010's (Background left
out) and on nmap-port-scan-002 against 010's ordinary rows, seeds 1 to 10. Ours:
zeek-iforest eval --train ctu-mixed-008.conn.log.labeled.gz --family detailedlabel
--attack nmap-port-scan-002.conn.log.gz ctu-mixed-010.conn.log.labeled.gz
Nothing here is chosen on the test rows: 100 trees of 256 rows, no tuning.
Needs Debian's python3-sklearn.
"""
import gzip
import json
import sys

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

NUMBERS = ["duration", "orig_bytes", "resp_bytes", "missed_bytes",
           "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes"]
CATEGORIES = ["proto", "service", "conn_state"]


def read(path):
    """The rows of a TSV or JSON conn.log as dictionaries of strings."""
    rows, fields = [], []
    with gzip.open(path, "rt") as log:
        for line in log:
            if line.startswith("#fields"):
                fields = line.rstrip("\n").split("\t")[1:]
            elif line.startswith("#"):
                continue
            elif line.startswith("{"):
                rows.append({k: str(v) for k, v in json.loads(line).items()})
            else:
                rows.append(dict(zip(fields, line.rstrip("\n").split("\t"))))
    return rows


def number(row, name, unset=0.0):
    value = row.get(name, "-")
    return unset if value == "-" else float(value)


def raw(rows, _):
    """The numbers as they are, unset as 0, and the responder port."""
    return np.array([[number(r, n) for n in NUMBERS] + [number(r, "id.resp_p")] for r in rows])


def one_hot(log):
    def encode(rows, training):
        values = [sorted({r.get(c, "-") for r in training}) for c in CATEGORIES]
        shape = np.log1p if log else (lambda x: x)
        return np.array([
            [shape(number(r, n)) for n in NUMBERS] + [number(r, "id.resp_p")]
            + [float(r.get(c, "-") == v) for c, vs in zip(CATEGORIES, values) for v in vs]
            for r in rows])
    return encode


def found(scores, labels, fpr):
    """Share of anomalies at the lowest threshold that at most fpr of the others pass."""
    others = np.sort(scores[~labels])[::-1]
    allowed = int(fpr * len(others))
    return float(np.mean(scores[labels] > others[allowed]))


def main(folder):
    day8 = read(f"{folder}/ctu-mixed-008.conn.log.labeled.gz")
    day10 = read(f"{folder}/ctu-mixed-010.conn.log.labeled.gz")
    nmap = read(f"{folder}/nmap-port-scan-002.conn.log.gz")
    benign = lambda rows: [r for r in rows if r["label"] == "Benign"]
    train, others = benign(day8), benign(day10)
    tests = {"external": [r for r in day10 if r["label"] == "Malicious"], "nmap": nmap}
    print(f"{'features':<28}{'test':<10}{'AUC':>14}{'TPR at 1 %':>18}{'at 0.1 %':>18}   mean ± sd")
    for name, encode in [("raw numbers", raw), ("one-hot, raw numbers", one_hot(False)), ("one-hot, log numbers", one_hot(True))]:
        x_train, x_others = encode(train, train), encode(others, train)
        for test, attacks in tests.items():
            x_attacks = encode(attacks, train)
            labels = np.array([False] * len(others) + [True] * len(attacks))
            figures = []
            for seed in range(1, 11):
                forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(x_train)
                scores = -forest.score_samples(np.vstack([x_others, x_attacks]))
                figures.append([roc_auc_score(labels, scores), found(scores, labels, .01), found(scores, labels, .001)])
            mean, sd = np.mean(figures, axis=0), np.std(figures, axis=0, ddof=1)
            print(f"{name:<28}{test:<10}" + "".join(f"{m:>10.4f} ± {s:.3f}" for m, s in zip(mean, sd)))


if __name__ == "__main__":
    main(sys.argv[1])
