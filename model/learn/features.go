package learn

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// ParseFeatures turns names of features, comma-separated, into the set that
// Options.Without takes; "" is none.
func ParseFeatures(list string) (set uint32, err error) {
	if list == "" {
		return 0, nil
	}
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(feature.Schema[:], func(f feature.Feature) bool { return f.Name == name })
		if i < 0 {
			return 0, fmt.Errorf("there is no feature %q; zeek-iforest info lists them", name)
		}
		set |= 1 << i
	}
	return set, checkFeatures(set)
}

// FeatureNames is the inverse of ParseFeatures.
func FeatureNames(set uint32) string {
	var names []string
	for ; set != 0; set &= set - 1 {
		names = append(names, feature.Schema[bits.TrailingZeros32(set)].Name)
	}
	return strings.Join(names, ",")
}

func checkFeatures(without uint32) error {
	switch {
	case without>>feature.N != 0:
		return fmt.Errorf("features %#x to do without, of which there are %d", without, feature.N)
	case bits.OnesCount32(without) == feature.N:
		return errors.New("no feature is left")
	}
	return nil
}
