// Package siem_test checks what is shipped for other programs: in the real
// engine where one is installed, and everywhere that each field exists.
package siem_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(text)
}

// output is what the command line prints of args and stdin.
func output(stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.Command("go", append([]string{"run", "./cmd/zeek-iforest"}, args...)...)
	cmd.Dir, cmd.Stdin = "..", bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, &stderr)
	}
	return out, nil
}

var columnsOnce = sync.OnceValues(func() (map[string]bool, error) {
	day, err := output(nil, "replay", "--format", "json", "--columns", "score,rank,reason,model", "testdata/pcaps/office-day.pcap")
	if err != nil {
		return nil, err
	}
	lake, err := output(day, "score", "--partition-by", "responder")
	if err != nil {
		return nil, err
	}
	columns := map[string]bool{}
	for line := range bytes.Lines(append(day, lake...)) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, err
		}
		for name := range row {
			columns[name] = true
		}
	}
	return columns, nil
})

// ourColumns are the columns of the conn.log that we write, all of them, and
// those that a lake is given between its two passes.
func ourColumns(t *testing.T) map[string]bool {
	t.Helper()
	columns, err := columnsOnce()
	require.NoError(t, err)
	require.True(t, columns["anomaly_score"] && columns["id.resp_p"])
	return maps.Clone(columns)
}

// ourMetrics are the metrics that our scripts give Zeek's telemetry, by the
// names that Prometheus sees (src/telemetry/Utils.cc, BuildFullPrometheusName).
func ourMetrics(t *testing.T) map[string]bool {
	t.Helper()
	family := regexp.MustCompile(`register_(counter|gauge)_family\(Telemetry::MetricOpts\(\s*\$prefix="iforest", \$name="(\w+)", \$unit="(\w*)"`)
	scripts, err := filepath.Glob("../scripts/*.zeek")
	require.NoError(t, err)
	metrics := map[string]bool{}
	for _, script := range scripts {
		for _, m := range family.FindAllStringSubmatch(read(t, script), -1) {
			name := "iforest_" + m[2]
			if m[3] != "" {
				name += "_" + m[3]
			}
			if m[1] == "counter" {
				name += "_total"
			}
			metrics[name] = true
		}
	}
	require.True(t, metrics["iforest_connections_total"] && metrics["iforest_model_age_seconds"])
	return metrics
}

// ourECS are the fields that the ecs: receiver writes.
func ourECS(t *testing.T) map[string]bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ecs.json")
	to, err := alert.ParseTarget("ecs:"+path, alert.Options{})
	require.NoError(t, err)
	a := &alert.Alert{ID: "x", Kind: alert.Connection, Time: time.Unix(1e9, 0), Reason: "r", Connection: alert.Summary{Service: "ssl"}}
	require.NoError(t, to.Send(context.Background(), a))
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, path)), &doc))
	fields := map[string]bool{}
	var walk func(string, any)
	walk = func(name string, v any) {
		if m, ok := v.(map[string]any); ok {
			for k, v := range m {
				walk(strings.TrimPrefix(name+"."+k, "."), v)
			}
			return
		}
		fields[name] = true
	}
	walk("", doc)
	return fields
}

// Every column and metric of ours that a file here names is one that we write.
func TestFieldsExist(t *testing.T) {
	columns, metrics := ourColumns(t), ourMetrics(t)
	column, metric := regexp.MustCompile(`\banomaly_[a-z_]+`), regexp.MustCompile(`\biforest_[a-z_]+`)
	files := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".go" {
			return err
		}
		files++
		text := read(t, path)
		for _, name := range column.FindAllString(text, -1) {
			assert.True(t, columns[name], "%s names %s", path, name)
		}
		for _, name := range metric.FindAllString(text, -1) {
			assert.True(t, metrics[name], "%s names %s", path, name)
		}
		return nil
	}))
	require.Greater(t, files, 15)

	searches := regexp.MustCompile(`(?m)^search = (.+)$`).FindAllStringSubmatch(read(t, "splunk", "savedsearches.conf"), -1)
	require.NotEmpty(t, searches)
	field := regexp.MustCompile(`\bby ([\w. ]+)|\btable _time ([\w. ]+)|sort (?:0 )?- ([\w.]+)|\b(?:dc|values|first|max)\(([\w.]+)\)|([\w.]+)>=`)
	for _, search := range searches {
		for _, m := range field.FindAllStringSubmatch(search[1], -1) {
			for _, name := range strings.Fields(strings.Join(m[1:], " ")) {
				assert.True(t, columns[name], "splunk names %s", name)
			}
		}
	}
}

// theirs are the fields that Elastic's Zeek integration makes itself, of
// connections and of notices (elastic/integrations 01dd5e0,
// packages/zeek/data_stream/*/elasticsearch/ingest_pipeline).
var theirs = []string{
	"@timestamp", "source.ip", "destination.ip", "destination.port", "network.protocol", "zeek.session_id", "event.kind",
	"zeek.notice.note", "zeek.notice.msg",
}

func TestElasticFields(t *testing.T) {
	known := ourECS(t)
	for column := range ourColumns(t) {
		if strings.HasPrefix(column, "anomaly_") {
			known["zeek.connection."+column] = true
		}
	}
	for _, name := range theirs {
		known[name] = true
	}
	named := regexp.MustCompile(`"(?:field|columns|group_by|copy_from|rule_name_override)\\?": ?\\?"?\[?\\?"([a-z@][\w.@]+)|(?:ctx\.)((?:zeek|event)\??\.[\w?.]+)|([a-z]+(?:\.[a-z_]+)+) ?(?::|>=)`)
	for _, file := range []string{"ingest-pipeline.json", "dashboard.ndjson", "rules.ndjson"} {
		text := strings.ReplaceAll(read(t, "elastic", file), `\"`, `"`)
		n := 0
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			name := strings.ReplaceAll(m[1]+m[2]+m[3], "?", "")
			if name == "error.message" || name == "event.severity" {
				continue // ECS's own
			}
			n++
			assert.True(t, known[name], "%s names %s", file, name)
		}
		require.Greater(t, n, 3, file)
	}
	var template struct {
		Template struct {
			Mappings struct {
				Properties struct {
					Zeek struct {
						Properties struct {
							Connection struct {
								Properties map[string]struct{ Type string }
							}
						}
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "elastic", "component-template.json")), &template))
	types := template.Template.Mappings.Properties.Zeek.Properties.Connection.Properties
	assert.Equal(t, "float", types["anomaly_score"].Type)
	assert.Len(t, types, 4)
}

// lines decodes a file of JSON lines.
func lines(t *testing.T, path ...string) (docs []map[string]any) {
	t.Helper()
	for line := range strings.Lines(read(t, path...)) {
		var doc map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &doc))
		docs = append(docs, doc)
	}
	return docs
}

// Kibana's import refuses an object that refers to one that is not there.
func TestKibanaReferences(t *testing.T) {
	there := map[string]bool{}
	objects := lines(t, "elastic", "dashboard.ndjson")
	for _, o := range objects {
		there[o["type"].(string)+":"+o["id"].(string)] = true
	}
	for _, o := range objects {
		attributes := o["attributes"].(map[string]any)
		names := map[string]bool{}
		for _, r := range o["references"].([]any) {
			ref := r.(map[string]any)
			assert.True(t, there[ref["type"].(string)+":"+ref["id"].(string)], "%v refers to %v", o["id"], ref["id"])
			names[ref["name"].(string)] = true
		}
		for _, inner := range []string{"visState", "panelsJSON", "optionsJSON"} {
			if text, ok := attributes[inner].(string); ok {
				var v any
				require.NoError(t, json.Unmarshal([]byte(text), &v), "%v %s", o["id"], inner)
				for _, ref := range regexp.MustCompile(`"panelRefName":"(\w+)"`).FindAllStringSubmatch(text, -1) {
					assert.True(t, names[ref[1]], "%v: %s", o["id"], ref[1])
				}
			}
		}
		if meta, ok := attributes["kibanaSavedObjectMeta"].(map[string]any); ok {
			var source struct{ IndexRefName string }
			require.NoError(t, json.Unmarshal([]byte(meta["searchSourceJSON"].(string)), &source))
			assert.True(t, source.IndexRefName == "" || names[source.IndexRefName], "%v", o["id"])
		}
	}
	ids := map[any]bool{}
	for _, r := range lines(t, "elastic", "rules.ndjson") {
		assert.False(t, ids[r["rule_id"]])
		ids[r["rule_id"]] = true
		for _, key := range []string{"name", "description", "risk_score", "severity", "type", "query", "index", "interval", "from"} {
			assert.Contains(t, r, key)
		}
		assert.Equal(t, false, r["enabled"], "switched off until somebody wants it")
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestPrometheusRules(t *testing.T) {
	promtool := testenv.Program(t, "promtool")
	run(t, "prometheus", promtool, "check", "rules", "rules.yml")
	run(t, "prometheus", promtool, "test", "rules", "rules_test.yml")
}

type dashboard struct {
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
}

// promtool parses each query of the dashboard, as a recording rule.
func TestGrafanaQueries(t *testing.T) {
	var d dashboard
	require.NoError(t, json.Unmarshal([]byte(read(t, "grafana", "dashboard.json")), &d))
	require.Greater(t, len(d.Panels), 5)
	var rules []map[string]string
	for _, p := range d.Panels {
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			rules = append(rules, map[string]string{"record": "x", "expr": strings.ReplaceAll(target.Expr, "$instance", ".*")})
		}
	}
	promtool := testenv.Program(t, "promtool")
	// JSON is YAML, too.
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "g", "rules": rules}}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "rules.yml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	run(t, ".", promtool, "check", "rules", "--lint=none", file)

	// The panel of scores over buckets of ours, which end at 1.00 and not at +Inf:
	// all scores between 0.45 and 0.50, so the median is in the middle.
	var series []any
	for bucket := 1; bucket <= 20; bucket++ {
		values := "0x12"
		if bucket >= 10 {
			values = "0+100x12"
		}
		series = append(series, map[string]any{"series": fmt.Sprintf(`iforest_scores_total{instance="s1",le="%.2f"}`, float64(bucket)/20), "values": values})
	}
	median := strings.ReplaceAll(d.Panels[2].Targets[0].Expr, "$instance", ".*")
	require.Contains(t, median, "histogram_quantile(0.5")
	text, err = json.Marshal(map[string]any{"tests": []any{map[string]any{"interval": "5m", "input_series": series, "promql_expr_test": []any{
		map[string]any{"expr": "round(" + median + ", 0.0001)", "eval_time": "1h", "exp_samples": []any{map[string]any{"labels": "{}", "value": 0.475}}},
	}}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	run(t, ".", promtool, "test", "rules", file)
}

// systemd's own opinion of the unit; siem/systemd/check runs it.
func TestSystemdUnit(t *testing.T) {
	analyze := testenv.Program(t, "systemd-analyze")
	const name = "zeek-iforest-watch.service"
	dir := t.TempDir()
	// Where the program is not installed that would be the only complaint.
	unit := strings.Replace(read(t, "systemd", name), "ExecStart=/usr/local/bin/zeek-iforest", "ExecStart=/bin/true", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o600))
	assert.Empty(t, run(t, dir, analyze, "verify", "./"+name))
	if !strings.Contains(run(t, dir, analyze, "--help"), "--offline") {
		testenv.Skip(t, "systemd 250", "systemd-analyze has no --offline")
	}
	run(t, dir, analyze, "security", "--offline=true", "--threshold=15", "./"+name)
}

// The patch for Security Onion, in jq: on a pipeline of the shape of theirs.
func TestSecurityOnionPatch(t *testing.T) {
	jq := testenv.Program(t, "jq")
	file := filepath.Join(t.TempDir(), "zeek.conn")
	before := `{"description":"zeek.conn","processors":[{"json":{"field":"message","target_field":"message2"}},` +
		`{"rename":{"field":"message2.proto","target_field":"network.transport","ignore_missing":true}},{"set":{"field":"a","value":1}},{"pipeline":{"name":"zeek.common"}}]}`
	require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
	once := run(t, ".", jq, "-f", "security-onion/ingest.jq", file)
	var pipeline struct {
		Processors []map[string]struct{ Field, Name string }
	}
	require.NoError(t, json.Unmarshal([]byte(once), &pipeline))
	require.Len(t, pipeline.Processors, 8)
	assert.Equal(t, "message2.anomaly_score", pipeline.Processors[3]["rename"].Field)
	assert.Equal(t, "zeek.common", pipeline.Processors[7]["pipeline"].Name, "what deletes the rest stays last")
	require.NoError(t, os.WriteFile(file, []byte(once), 0o600))
	assert.Equal(t, once, run(t, ".", jq, "-f", "security-onion/ingest.jq", file), "twice is once")
}

// theirSources returns a clone of another project that a variable names. None is
// kept here; the packs' READMEs say which were read.
func theirSources(t *testing.T, variable, repository string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		testenv.Skip(t, repository, variable+" names no clone of it")
	}
	return dir
}

// The same patch on Security Onion's own pipeline: four processors more, before
// the last, nothing else changed.
func TestSecurityOnionTheirs(t *testing.T) {
	dir := theirSources(t, "SIEM_SECURITYONION", "Security-Onion-Solutions/securityonion")
	jq := testenv.Program(t, "jq")
	file := filepath.Join(dir, "salt/elasticsearch/files/ingest/zeek.conn")
	type pipeline struct{ Processors []any }
	var before, after pipeline
	require.NoError(t, json.Unmarshal([]byte(read(t, file)), &before))
	require.NoError(t, json.Unmarshal([]byte(run(t, ".", jq, "-f", "security-onion/ingest.jq", file)), &after))
	n := len(before.Processors)
	require.Len(t, after.Processors, n+4)
	assert.Equal(t, before.Processors[:n-1], after.Processors[:n-1])
	assert.Equal(t, before.Processors[n-1], after.Processors[n+3])
	assert.Contains(t, before.Processors[n-1], "pipeline")
}

// A conn.log as a real Zeek writes it with what Malcolm's sensors load, and
// Malcolm's own parser after the patch: the same columns in the same order.
func TestMalcolmTheirs(t *testing.T) {
	dir := theirSources(t, "SIEM_MALCOLM", "cisagov/Malcolm")
	zeek, sed := testenv.Zeek(t), testenv.Program(t, "sed")
	root := testenv.Root(t)
	if _, err := os.Stat(filepath.Join(root, "build/zeek-pkg")); err != nil {
		testenv.Skip(t, "the package", "zeek-pkg/build.sh has not built it")
	}
	logs := t.TempDir()
	ja4, err := filepath.Abs("malcolm/testdata/ja4.zeek")
	require.NoError(t, err)
	const conn = "policy/protocols/conn/"
	cmd := exec.Command(zeek, "-C", "-r", filepath.Join(root, "testdata/pcaps/office-day.pcap"),
		conn+"vlan-logging", conn+"mac-logging", conn+"community-id-logging", ja4, filepath.Join(root, "scripts"))
	cmd.Dir = logs
	cmd.Env = append(os.Environ(), "ZEEK_PLUGIN_PATH="+filepath.Join(root, "build/zeek-pkg"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, fields, ok := strings.Cut(read(t, logs, "conn.log"), "#fields\t")
	require.True(t, ok)
	fields, _, _ = strings.Cut(fields, "\n")
	want := strings.Split(strings.ReplaceAll(fields, "id.", ""), "\t")

	file := filepath.Join(t.TempDir(), "1015_zeek_conn.conf")
	theirs := read(t, dir, "logstash/pipelines/zeek/1015_zeek_conn.conf")
	require.NoError(t, os.WriteFile(file, []byte(theirs), 0o600))
	parsed := func() (dissect, ruby []string) {
		mapping := regexp.MustCompile(`"\[message\]" => "(%[^"]*)"`).FindStringSubmatch(read(t, file))
		require.NotNil(t, mapping)
		for _, m := range regexp.MustCompile(`%\{\[zeek_cols\]\[(\w+)\]\}`).FindAllStringSubmatch(mapping[1], -1) {
			dissect = append(dissect, m[1])
		}
		names := regexp.MustCompile(`@zeek_conn_field_names = \[([^\]]*)\]`).FindStringSubmatch(read(t, file))
		require.NotNil(t, names)
		for _, m := range regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(names[1], -1) {
			ruby = append(ruby, m[1])
		}
		return dissect, ruby
	}
	dissect, _ := parsed()
	assert.Equal(t, want[:len(want)-1], dissect, "unpatched, the score falls into the last column")
	run(t, ".", sed, "-i", "-f", "malcolm/columns.sed", file)
	dissect, ruby := parsed()
	assert.Equal(t, want, dissect)
	assert.Equal(t, want, ruby)
}

// The patch for Malcolm, in sed: on lines of the shape of theirs.
func TestMalcolmPatch(t *testing.T) {
	testenv.OS(t, "linux") // GNU's sed
	sed := testenv.Program(t, "sed")
	file := filepath.Join(t.TempDir(), "1015_zeek_conn.conf")
	before := "mapping => {\n \"[message]\" => \"%{[zeek_cols][ts]}\t%{[zeek_cols][conn_state]}\t%{[zeek_cols][ja4ts]}\"\n}\n" +
		"init => \"@zeek_conn_field_names = [ 'ts', 'conn_state', 'ja4ts' ]\"\nadd_field => { \"[source][bytes]\" => \"%{[zeek_cols][orig_ip_bytes]}\" }\n"
	want := "mapping => {\n \"[message]\" => \"%{[zeek_cols][ts]}\t%{[zeek_cols][conn_state]}\t%{[zeek_cols][ja4ts]}\t%{[zeek_cols][anomaly_score]}\"\n}\n" +
		"init => \"@zeek_conn_field_names = [ 'ts', 'conn_state', 'ja4ts', 'anomaly_score' ]\"\nadd_field => { \"[source][bytes]\" => \"%{[zeek_cols][orig_ip_bytes]}\" }\n"
	require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
	for range 2 {
		run(t, ".", sed, "-i", "-f", "malcolm/columns.sed", file)
		assert.Equal(t, want, read(t, file))
	}
}

// What Sigma's specification wants of a rule, and fields that our logs have.
func TestSigmaRules(t *testing.T) {
	columns := ourColumns(t)
	for _, name := range []string{"note", "msg", "sub"} { // of Zeek's notice.log
		columns[name] = true
	}
	rules, err := filepath.Glob("sigma/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, rules)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, file := range rules {
		text := read(t, file)
		key := func(name string) string {
			m := regexp.MustCompile(`(?m)^\s*` + name + `: (.+)$`).FindStringSubmatch(text)
			require.NotNil(t, m, "%s: no %s", file, name)
			return m[1]
		}
		assert.NotEmpty(t, key("title"))
		assert.NotEmpty(t, key("description"))
		assert.Regexp(t, uuid, key("id"))
		assert.Contains(t, []string{"stable", "test", "experimental"}, key("status"))
		assert.Contains(t, []string{"informational", "low", "medium", "high", "critical"}, key("level"))
		assert.Equal(t, "zeek", key("product"))
		assert.Equal(t, "selection", key("condition"))
		_, selection, ok := strings.Cut(text, "  selection:\n")
		require.True(t, ok)
		selection, list, ok := strings.Cut(selection, "fields:\n")
		require.True(t, ok)
		list, _, _ = strings.Cut(list, "falsepositives:")
		named := regexp.MustCompile(`(?m)^(?:    (\w[\w.]*)(?:\|\w+)?:|  - (.+)$)`).FindAllStringSubmatch(selection+list, -1)
		require.Greater(t, len(named), 3)
		for _, m := range named {
			assert.True(t, columns[m[1]+m[2]], "%s names %s", file, m[1]+m[2])
		}
	}
}

// Sigma's own converter, where its Python package is installed (pip install
// sigma-cli pysigma-backend-elasticsearch).
func TestSigmaConverts(t *testing.T) {
	python := testenv.Program(t, "python3")
	if out, err := exec.Command(python, "-c", "import sigma.backends.elasticsearch").CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		testenv.Skip(t, "pySigma with its Elasticsearch backend", lines[len(lines)-1])
	}
	const convert = `
from sigma.backends.elasticsearch import LuceneBackend
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingPipeline
pipeline = ProcessingPipeline.from_yaml(open("sigma/elastic.yaml").read())
for query in LuceneBackend(pipeline).convert(SigmaCollection.load_ruleset(["sigma"])):
    print(query)
`
	assert.ElementsMatch(t, []string{
		`data_stream.dataset:zeek.connection AND zeek.connection.anomaly_rank:>=10000`,
		`data_stream.dataset:zeek.notice AND (zeek.notice.note:(IForest\:\:Anomalous_Connection OR IForest\:\:Anomalous_Host OR IForest\:\:Beacon))`,
	}, strings.Split(strings.TrimSpace(run(t, ".", python, "-c", convert)), "\n"))
}

// A pack's README is at most a page and says what was not tested.
func TestReadmes(t *testing.T) {
	readmes, err := filepath.Glob("*/README.md")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(readmes), 7)
	for _, file := range readmes {
		text := read(t, file)
		assert.LessOrEqual(t, strings.Count(text, "\n"), 60, file)
		assert.Regexp(t, `\*\*(Untested|Tested)|Not tested`, text, file)
	}
}
