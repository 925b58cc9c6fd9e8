package vendors_test

import (
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Grafana's SDK has the dashboard's and each panel's type, generated from
// Grafana's own schema; its strict reader refuses what is not in it.
func TestGrafanaDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	var d dashboard.Dashboard
	require.NoError(t, d.UnmarshalJSONStrict([]byte(read(t, "grafana", "dashboard.json"))))
	assert.Len(t, d.Panels, 11)
	assert.NoError(t, d.Validate())
}
