package model

import "github.com/zeek-iforest/zeek-iforest/model/feature"

// AddSet lets there be models of another kind of rows, for a test.
func AddSet(s *feature.Set) { sets = append(sets, s) }
