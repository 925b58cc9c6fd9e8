package learn

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// ParseFeatures turns names of features, comma-separated, into the bits that
// Options.Without takes; "" is none.
func ParseFeatures(of *feature.Set, list string) (set uint32, err error) {
	if list == "" {
		return 0, nil
	}
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		i := of.Find(name)
		if i < 0 {
			return 0, fmt.Errorf("there is no feature %q; zeek-iforest info lists them", name)
		}
		set |= 1 << i
	}
	return set, checkFeatures(of, set)
}

// FeatureNames is the inverse of ParseFeatures.
func FeatureNames(of *feature.Set, set uint32) string {
	var names []string
	for ; set != 0; set &= set - 1 {
		names = append(names, of.Features[bits.TrailingZeros32(set)].Name)
	}
	return strings.Join(names, ",")
}

func checkFeatures(of *feature.Set, without uint32) error {
	switch {
	case without>>of.N() != 0:
		return fmt.Errorf("features %#x to do without, of which there are %d", without, of.N())
	case bits.OnesCount32(without) == of.N():
		return errors.New("no feature is left")
	}
	return nil
}
