#!/usr/bin/env python3
"""Others' features and recipes on the same rows and seeds.

    python3 model/evaluate/testdata/rivals.py ../shared/datasets/zeek-labelled \\
        [--zad zeek-anomaly-detector.py] [--zat dataframe_to_matrix.py]

Ordinary rows of ctu-mixed-008 for training, ordinary rows of 010 as negatives,
010's attacks and nmap-port-scan-002 as positives, Background left out; seeds 1
to 10. All rows, and established ones (SF, S1 to S3, RSTO, RSTR). Ours:

    zeek-iforest eval --train ctu-mixed-008.conn.log.labeled.gz --family detailedlabel \\
        --attack nmap-port-scan-002.conn.log.gz ctu-mixed-010.conn.log.labeled.gz

Nothing here is chosen on the test rows: forests are scikit-learn's with its
own defaults or the recipe's. --zad and --zat name files of checkouts, whose own
code is run: github.com/stratosphereips/zeek_anomaly_detector (c8896df) and
zat/dataframe_to_matrix.py of github.com/SuperCowPowers/zat (00a2373), whose
examples use it on http.log and dns.log; the columns of conn.log are ours. Needs Debian's python3-sklearn and python3-pandas.
"""
import argparse
import contextlib
import gzip
import importlib.util
import io
import json

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

NUMBERS = ["duration", "orig_bytes", "resp_bytes", "missed_bytes",
           "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes"]
CATEGORIES = ["proto", "service", "conn_state"]
ESTABLISHED = ["SF", "S1", "S2", "S3", "RSTO", "RSTR"]


def read(path):
    """The rows of a TSV or JSON conn.log as a table of strings, "-" where unset."""
    rows, fields = [], []
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as log:
        for line in log:
            if line.startswith("#fields"):
                fields = line.rstrip("\n").split("\t")[1:]
            elif line.startswith("#"):
                continue
            elif line.startswith("{"):
                rows.append({k: {True: "T", False: "F"}.get(v, str(v)) if isinstance(v, bool) else str(v)
                             for k, v in json.loads(line).items()})
            else:
                rows.append(dict(zip(fields, line.rstrip("\n").split("\t"))))
    return pd.DataFrame(rows).fillna("-").reset_index(drop=True)


def numbers(rows, names):
    return rows[names].replace("-", "0").astype(float)


def raw(rows, _):
    """The numbers as they are, unset as 0, and the responder port."""
    return numbers(rows, NUMBERS + ["id.resp_p"]).to_numpy()


def one_hot(log):
    def encode(rows, training):
        columns = [np.log1p(numbers(rows, NUMBERS)) if log else numbers(rows, NUMBERS), numbers(rows, ["id.resp_p"])]
        for c in CATEGORIES:
            values = sorted(training[c].unique())
            columns.append((rows[c].to_numpy()[:, None] == np.array(values)[None, :]).astype(float))
        return np.hstack([np.asarray(c) for c in columns])
    return encode


def scikit_learn(encode):
    """A forest of the training rows."""
    def scores(train, test, seed):
        forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(encode(train, train))
        return -forest.score_samples(encode(test, train))
    return scores


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_it_is(zad):
    """The tool as it is: it fits the rows that it scores, and adds its own rules
    for scans to the forest's score. The seed takes the place of its 42."""
    def scores(_, test, seed):
        zad.IsolationForest = lambda **o: IsolationForest(**{**o, "random_state": seed})
        frame = test.replace("-", np.nan)
        features, method = zad.build_conn_features(frame, zad.build_context({"conn": frame}))
        return zad.SCORERS[method](features, 10)[0].to_numpy()
    return scores


def its_features(zad):
    """Its features of each log, and its forest, but of the training rows."""
    def scores(train, test, seed):
        x = [zad.build_conn_features(f, zad.build_context({"conn": f}))[0] for f in
             (train.replace("-", np.nan), test.replace("-", np.nan))]
        used = [c for c in x[0].columns if x[0][c].nunique() > 1 and c in x[1].columns]
        forest = IsolationForest(n_estimators=200, random_state=seed).fit(x[0][used].to_numpy())
        return -forest.score_samples(x[1][used].to_numpy())
    return scores


def zat_recipe(zat, fit):
    """zat's matrix of conn.log's columns and its forest, fitted on the training
    rows or, as its examples do, on those that are scored."""
    def frame(rows):
        return pd.concat([numbers(rows, NUMBERS + ["id.resp_p"]), rows[CATEGORIES].replace("-", np.nan)], axis=1)

    def scores(train, test, seed):
        matrix = zat.DataFrameToMatrix()
        with contextlib.redirect_stdout(io.StringIO()):
            fitted = matrix.fit_transform(frame(train if fit else test))
            scored = matrix.transform(frame(test))
        forest = IsolationForest(contamination=0.2, random_state=seed).fit(fitted)
        return -forest.score_samples(scored)
    return scores


def found(scores, labels, fpr):
    """Share of anomalies above the lowest threshold that at most fpr of the others pass."""
    others = np.sort(scores[~labels])[::-1]
    return float(np.mean(scores[labels] > others[int(fpr * len(others))]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--zad")
    parser.add_argument("--zat")
    o = parser.parse_args()
    day8 = read(f"{o.folder}/ctu-mixed-008.conn.log.labeled.gz")
    day10 = read(f"{o.folder}/ctu-mixed-010.conn.log.labeled.gz")
    nmap = read(f"{o.folder}/nmap-port-scan-002.conn.log.gz").assign(label="Malicious")
    train = day8[day8["label"] == "Benign"].reset_index(drop=True)
    others = day10[day10["label"] == "Benign"]
    methods = {"scikit-learn, raw numbers": scikit_learn(raw),
               "scikit-learn, raw numbers, one-hot": scikit_learn(one_hot(False)),
               "scikit-learn, log numbers, one-hot": scikit_learn(one_hot(True))}
    if o.zad:
        zad = load(o.zad, "zad")
        methods["zeek_anomaly_detector as it is"] = as_it_is(zad)
        methods["zeek_anomaly_detector's features"] = its_features(zad)
    if o.zat:
        zat = load(o.zat, "zat")
        methods["zat's recipe as it is"] = zat_recipe(zat, False)
        methods["zat's recipe, trained"] = zat_recipe(zat, True)
    print(f"{'method':<36}{'test':<24}{'rows':>10}{'AUC':>16}{'TPR at 1 %':>16}{'at 0.1 %':>16}   mean ± sd")
    for name, method in methods.items():
        for family, attacks in {"external": day10[day10["label"] == "Malicious"], "nmap": nmap}.items():
            test = pd.concat([others, attacks]).fillna("-").reset_index(drop=True)
            labels = (test["label"] == "Malicious").to_numpy()
            runs = [method(train, test, seed) for seed in range(1, 11)]
            for of, kept in {"all": np.full(len(test), True), "established": test["conn_state"].isin(ESTABLISHED).to_numpy()}.items():
                if not labels[kept].any():
                    continue
                figures = [[roc_auc_score(labels[kept], s[kept]), found(s[kept], labels[kept], .01), found(s[kept], labels[kept], .001)]
                           for s in runs]
                mean, sd = np.mean(figures, axis=0), np.std(figures, axis=0, ddof=1)
                print(f"{name:<36}{family + ', ' + of:<24}{labels[kept].sum():>10}"
                      + "".join(f"{m:>9.4f} ± {s:.3f}" for m, s in zip(mean, sd)))


if __name__ == "__main__":
    main()
