package evaluate

import (
	"encoding/json"
	"math"
)

// MarshalJSON writes null for a threshold that nothing reaches: JSON has no
// infinity.
func (a AtFPR) MarshalJSON() ([]byte, error) {
	type fields AtFPR
	out := struct {
		fields
		Threshold *float64 `json:"threshold"`
	}{fields: fields(a)}
	if !math.IsInf(a.Threshold, 0) {
		out.Threshold = &a.Threshold
	}
	return json.Marshal(out)
}
