package conn

import "slices"

// DefaultLooks are the ages at which a sensor looks at connections that go on
// (IForest::long_connection_durations); beyond the last, at each as much later
// as that is.
var DefaultLooks = []Micros{600e6, 1800e6, 3600e6}

// Passed returns the latest of such ages, in ascending order, that a connection of
// that age has passed; 0 for none.
func Passed(ages []Micros, age Micros) Micros {
	if len(ages) == 0 {
		return 0
	}
	if last := ages[len(ages)-1]; age >= last && last > 0 {
		return age / last * last
	}
	i := slices.IndexFunc(ages, func(a Micros) bool { return a > age })
	if i <= 0 {
		return 0
	}
	return ages[i-1]
}
