// Package onnx writes a model as ONNX, which ONNX Runtime, Spark, ClickHouse
// and databases score with: vectors in, the scores of this program out, bit for
// bit. The trees are ai.onnx.ml's TreeEnsemble (version 5) in doubles; a
// TreeEnsembleRegressor in floats rounds sums and thresholds.
package onnx

import (
	"encoding/json"

	"github.com/zeek-iforest/zeek-iforest/internal/version"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

const (
	mlDomain = "ai.onnx.ml"

	irVersion      = 10 // ONNX 1.16, the first with TreeEnsemble
	operatorSet    = 21 // of it
	mlOperatorSet  = 5  // of it
	sumOfTrees     = 1  // aggregate_function
	branchLessThan = 1  // nodes_modes

	meanUnit = 1 << 32 // mean paths are rounded down to this part of an edge, as in forest
)

// Names of the graph's input, of a column for each feature, and its outputs, of one.
const (
	Input = "features"
	Path  = "path"
	Score = "anomaly_score"
)

// Marshal returns the model as an ONNX file. Metadata says what the features
// are and how they are encoded: what Describe returns, as JSON.
func Marshal(m *model.Model) ([]byte, error) {
	f := m.Forest()
	var graph message
	step := func(op, output string, inputs ...string) { graph.bytes(1, node("", op, inputs, output)) }
	graph.bytes(1, trees(f.Plain()))
	step("Mul", "scaled", "sum", "mean_unit")
	step("Div", "divided", "scaled", "trees")
	step("Floor", "floored", "divided")
	step("Div", Path, "floored", "mean_unit")
	step("Div", "relative", Path, "average")
	step("Neg", "exponent", "relative")
	step("Pow", "exact", "two", "exponent")
	step("Mul", "tenthousandths", "exact", "decimals")
	step("Round", "rounded", "tenthousandths")
	step("Div", Score, "rounded", "decimals")
	graph.string(2, "isolation_forest")
	for _, c := range []struct {
		name  string
		value float64
	}{{"mean_unit", meanUnit}, {"trees", float64(f.Trees())}, {"average", f.AverageLength()}, {"two", 2}, {"decimals", 1e4}} {
		graph.bytes(5, number(c.name, c.value))
	}
	graph.bytes(11, matrix(Input, int64(m.Set().N())))
	graph.bytes(12, matrix(Path, 1))
	graph.bytes(12, matrix(Score, 1))

	description, err := json.Marshal(Describe(m))
	if err != nil {
		return nil, err
	}
	var file message
	file.int(1, irVersion)
	file.string(2, "zeek-iforest")
	file.string(3, version.String())
	file.string(6, "Isolation Forest of "+m.Set().Log+".log rows; the metadata says how a row becomes a vector")
	file.bytes(7, graph)
	file.bytes(8, operators("", operatorSet))
	file.bytes(8, operators(mlDomain, mlOperatorSet))
	for _, p := range [][2]string{{"model", m.Fingerprint()}, {"schema", m.Set().ID}, {"encoding", string(description)}} {
		var entry message
		entry.string(1, p[0])
		entry.string(2, p[1])
		file.bytes(14, entry)
	}
	return file, nil
}

// trees returns the node that sums the path lengths over the trees.
func trees(p *forest.Plain) message {
	var roots, features, trueNodes, trueLeafs, falseNodes, falseLeafs []int64
	var splits, weights []float64
	lengths, thresholds := p.Lengths(), p.Threshold
	at := 0
	for _, n := range p.Nodes {
		// Breadth first, the k-th split's children are nodes 2k+1 and 2k+2. Splits
		// and leaves are numbered apart here.
		place, leaf := make([]int64, n), make([]int64, n)
		root := int64(len(features))
		nextSplit, nextLeaf := root, int64(len(weights))
		for i := range place {
			if p.Feature[at+i] != forest.External {
				place[i], nextSplit = nextSplit, nextSplit+1
				continue
			}
			place[i], leaf[i], nextLeaf = nextLeaf, 1, nextLeaf+1
			weights = append(weights, float64(lengths[at+i])*forest.LengthUnit)
		}
		roots = append(roots, root)
		if n == 1 { // a leaf alone: both ways lead to it
			features, splits = append(features, 0), append(splits, 0)
			trueNodes, trueLeafs = append(trueNodes, place[0]), append(trueLeafs, 1)
			falseNodes, falseLeafs = append(falseNodes, place[0]), append(falseLeafs, 1)
		}
		k := 0
		for i := range place {
			if leaf[i] == 1 {
				continue
			}
			left, right := 2*k+1, 2*k+2
			k++
			features = append(features, int64(p.Feature[at+i]))
			splits = append(splits, float64(thresholds[0])) // widened: exact
			thresholds = thresholds[1:]
			trueNodes, trueLeafs = append(trueNodes, place[left]), append(trueLeafs, leaf[left])
			falseNodes, falseLeafs = append(falseNodes, place[right]), append(falseLeafs, leaf[right])
		}
		at += int(n)
	}
	modes := make([]byte, len(features))
	for i := range modes {
		modes[i] = branchLessThan
	}
	return node(mlDomain, "TreeEnsemble", []string{Input}, "sum",
		intAttribute("aggregate_function", sumOfTrees),
		intAttribute("n_targets", 1),
		intAttribute("post_transform", 0),
		intsAttribute("leaf_targetids", make([]int64, len(weights))),
		tensorAttribute("leaf_weights", doubles(weights)),
		intsAttribute("nodes_falseleafs", falseLeafs),
		intsAttribute("nodes_falsenodeids", falseNodes),
		intsAttribute("nodes_featureids", features),
		tensorAttribute("nodes_modes", uint8s(modes)),
		tensorAttribute("nodes_splits", doubles(splits)),
		intsAttribute("nodes_trueleafs", trueLeafs),
		intsAttribute("nodes_truenodeids", trueNodes),
		intsAttribute("tree_roots", roots))
}

// Description says how a row becomes a vector.
type Description struct {
	Features []Feature `json:"features"` // in the order of the columns
	Rows     uint64    `json:"rows"`     // N of the rarities
	Counts   []Counts  `json:"counts"`   // n of the rarities
}

// Counts are the rows that had each value of a feature.
type Counts struct {
	Feature string            `json:"feature"`
	Rows    map[string]uint64 `json:"rows"`
}

// Feature is one column of the input.
type Feature struct {
	Name     string `json:"name"`
	Fields   string `json:"fields"`
	Unit     string `json:"unit"`
	Encoding string `json:"encoding"`
}

// Describe describes the vectors of a model.
func Describe(m *model.Model) Description {
	set, t := m.Set(), m.Encoder().Tables()
	d := Description{Rows: t.Rows}
	for _, f := range set.Features {
		d.Features = append(d.Features, Feature{f.Name, f.Field, f.Unit, f.Kind.Encoding()})
	}
	for i, list := range t.Codes {
		counts := Counts{set.Features[set.Codes[i].Feature].Name, make(map[string]uint64, len(list))}
		for _, c := range list {
			counts.Rows[set.Codes[i].Say(c.Code)] = c.Rows
		}
		d.Counts = append(d.Counts, counts)
	}
	return d
}
