package model

import (
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// AddSet lets there be models of another kind of rows, for a test.
func AddSet(s *feature.Set) { sets = append(sets, s) }

// ReasonText is what AppendReason writes where the reasons of a row are these,
// for a test.
func ReasonText(set *feature.Set, why []Reason) string {
	why = slices.DeleteFunc(slices.Clone(why), func(r Reason) bool { return r.Absent })
	return string(appendReasons(nil, len(why), func(n int) (credit float64, unusual bool) {
		return why[n].Credit, why[n].Unusual
	}, func(dst []byte, n int, together bool) []byte {
		r := &why[n]
		before, _, _ := set.Phrases(r.Feature)
		dst = append(append(dst, before...), r.Value...)
		return appendUsually(dst, set, r.Feature, []byte(r.Value), r.Usual, together)
	}))
}
