// Package vendors_test reads the packs under siem/ with the code that their
// vendors publish for Go. None of it is the engine itself.
package vendors_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/elastic/go-elasticsearch/v9/typedapi/cluster/putcomponenttemplate"
	"github.com/elastic/go-elasticsearch/v9/typedapi/ingest/putpipeline"
	"github.com/elastic/package-spec/v3/code/go/pkg/specerrors"
	"github.com/elastic/package-spec/v3/code/go/pkg/validator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{".."}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// Elastic's client for Go has a type for the body of each request, generated from
// Elasticsearch's API specification. What it does not know it leaves out, so what
// comes out again must be what went in.
func TestElasticRequests(t *testing.T) {
	for file, request := range map[string]any{
		"ingest-pipeline.json":    putpipeline.NewRequest(),
		"component-template.json": putcomponenttemplate.NewRequest(),
	} {
		text := read(t, "elastic", file)
		require.NoError(t, json.Unmarshal([]byte(text), request), file)
		again, err := json.Marshal(request)
		require.NoError(t, err)
		// A condition comes out in the form with "source", which only Elasticsearch 9 takes.
		text = regexp.MustCompile(`"if": ("(?:[^"\\]|\\.)*")`).ReplaceAllString(text, `"if": {"source": $1}`)
		assert.JSONEq(t, text, string(again), file)
	}
	unknown := `{"processors":[{"set":{"field":"a","valeu":1}}]}`
	request := putpipeline.NewRequest()
	require.NoError(t, json.Unmarshal([]byte(unknown), request))
	again, err := json.Marshal(request)
	require.NoError(t, err)
	assert.NotContains(t, string(again), "valeu", "an unknown option is noticed")
}

// Elastic's package registry takes a package that its specification holds for
// valid. Ours is made here from the pack: its pipeline and its saved objects.
func TestElasticPackage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "zeek_iforest")
	put := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	put("manifest.yml", `format_version: 3.4.0
name: zeek_iforest
title: zeek-iforest
version: 1.0.0
description: Anomaly scores for Zeek's connections.
type: integration
categories: [security]
conditions: {kibana: {version: "^8.13.0"}}
policy_templates:
  - name: logs
    title: Logs
    description: Logs
    inputs: [{type: logfile, title: Logs, description: Logs}]
owner: {github: zeek-iforest/zeek-iforest, type: community}
`)
	put("changelog.yml", "- version: 1.0.0\n  changes: [{description: First., type: enhancement, link: \"https://github.com/zeek-iforest/zeek-iforest/pull/1\"}]\n")
	put("LICENSE.txt", "BSD-3-Clause")
	put("docs/README.md", "# zeek-iforest\n")
	put("data_stream/connection/manifest.yml", "title: Connections\ntype: logs\nstreams:\n  - {input: logfile, title: Logs, description: Logs, template_path: log.yml.hbs}\n")
	put("data_stream/connection/agent/stream/log.yml.hbs", "paths: []\n")
	put("data_stream/connection/elasticsearch/ingest_pipeline/default.json", read(t, "elastic", "ingest-pipeline.json"))
	put("data_stream/connection/fields/base-fields.yml", `- {name: "@timestamp", type: date, description: When.}
- {name: data_stream.type, type: constant_keyword, description: logs.}
- {name: data_stream.dataset, type: constant_keyword, description: Data set.}
- {name: data_stream.namespace, type: constant_keyword, description: Namespace.}
`)
	objects := read(t, "elastic", "dashboard.ndjson")
	objects = regexp.MustCompile(`"id": "zeek-iforest`).ReplaceAllString(objects, `"id": "zeek_iforest-zeek-iforest`)
	for line := range strings.Lines(objects) {
		var o struct{ Type, ID string }
		require.NoError(t, json.Unmarshal([]byte(line), &o))
		if o.Type == "index-pattern" {
			continue // a package's data streams bring their own
		}
		put(fmt.Sprintf("kibana/%s/%s.json", o.Type, o.ID), line)
	}
	var errs specerrors.ValidationErrors
	require.ErrorAs(t, validator.ValidateFromPath(dir), &errs)
	rules := 0
	for _, err := range errs {
		// Rules for packages, not for what Kibana imports: panels by value, made by Lens.
		// And a false alarm of "dangling": the index pattern that is left out above.
		if strings.Contains(err.Error(), "found legacy visualization") || strings.Contains(err.Error(), "references found in dashboard") {
			rules++
			continue
		}
		assert.NoError(t, err)
	}
	assert.Positive(t, rules, "the saved objects were read")
}
