package domain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/publicsuffix"
)

// The table says what golang.org/x/net/publicsuffix says, of which it is made.
// Where this fails after an update of that module: go run ./internal/suffixes.
func TestDomainAgainstTheListOfGo(t *testing.T) {
	n, most := 0, 0
	for line := range strings.Lines(suffixList) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rule := strings.TrimSpace(line)
		most = max(most, strings.Count(rule, ".")+1)
		name := "www.host." + strings.TrimPrefix(strings.Replace(rule, "*.", "any.", 1), "!")
		want, err := publicsuffix.EffectiveTLDPlusOne(name)
		require.NoError(t, err)
		if n++; name[Registered(name):] != want {
			t.Errorf("%s: %s, want %s", name, name[Registered(name):], want)
		}
	}
	require.Greater(t, n, 9000)
	require.LessOrEqual(t, most, deepest)
}
