import json


def save(forest, path):
    """Write an IsolationForest for zeek-iforest import --sklearn."""
    trees = [{"feature": [int(columns[f]) if f >= 0 else -1 for f in e.tree_.feature],
              "threshold": e.tree_.threshold.tolist(), "samples": e.tree_.n_node_samples.tolist(),
              "left": e.tree_.children_left.tolist(), "right": e.tree_.children_right.tolist()}
             for e, columns in zip(forest.estimators_, forest.estimators_features_)]
    names = getattr(forest, "feature_names_in_", None)
    json.dump({"features": None if names is None else list(names), "n_features": forest.n_features_in_,
               "max_samples": int(forest.max_samples_), "offset": float(forest.offset_), "trees": trees}, open(path, "w"))
