package manifests

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var named = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)`)

// exposed are the names of the series on a page of metrics.
func exposed(page string) map[string]bool {
	names := map[string]bool{}
	for _, found := range named.FindAllStringSubmatch(page, -1) {
		name, kind := found[1], found[2]
		names[name] = true
		switch kind {
		case "counter":
			names[name+"_total"] = true
		case "histogram":
			names[name+"_bucket"], names[name+"_count"], names[name+"_sum"] = true, true, true
		}
	}
	return names
}

// known are the names of all metrics that the stack has: asked of what can be run, read where it cannot.
func known(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"up": true, "ALERTS": true}
	pages := map[string]running{
		"chat-backend": start(t, binary(t, "chat-backend"), func(address string) []string { return []string{"serve", "--listen=" + address} }),
		"prometheus": start(t, "prometheus", func(address string) []string {
			// some of its metrics are there only with rules
			rules, err := filepath.Abs(filepath.Join(k8s, "monitoring/rules"))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "prometheus.yml")
			if err := os.WriteFile(file, []byte("rule_files: ["+rules+"/*.yaml]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"--config.file=" + file, "--web.listen-address=" + address, "--log.level=error"}
		}),
		"node-exporter": start(t, "prometheus-node-exporter", func(address string) []string { return []string{"--web.listen-address=" + address} }),
	}
	redis := start(t, "redis-server", func(address string) []string {
		_, port, _ := net.SplitHostPort(address)
		return []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"}
	})
	pages["redis-exporter"] = start(t, "prometheus-redis-exporter", func(address string) []string {
		return []string{"--web.listen-address", address, "--redis.addr", strings.Replace(redis.address, "http", "redis", 1)}
	})
	for name, server := range pages {
		_, page := server.get(t, "/metrics")
		found := exposed(page)
		if len(found) < 10 {
			t.Fatalf("%s tells of %d metrics", name, len(found))
		}
		maps.Copy(names, found)
	}
	// a target must be seen once for its metrics to be there: the guide lists them, and a test of its own holds it to the process
	guide := read(t, "../../docs/operations.md")
	for _, name := range regexp.MustCompile("`(prescale_[a-z_]+)").FindAllStringSubmatch(guide, -1) {
		for _, suffix := range []string{"", "_bucket", "_count", "_sum"} {
			names[name[1]+suffix] = true
		}
	}
	maps.Copy(names, kedaMetrics(t))
	for line := range strings.Lines(read(t, "testdata/kube-state-metrics.txt")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			names[line] = true
		}
	}
	for _, file := range sources(t, "monitoring/rules/*.yaml") {
		for _, rule := range rulesOf(t, file) {
			if rule.Record != "" {
				names[rule.Record] = true
			}
		}
	}
	return names
}

// kedaMetrics reads the names from KEDA's own source.
func kedaMetrics(t *testing.T) map[string]bool {
	t.Helper()
	source := read(t, filepath.Join(moduleFolder(t, kedaModule), "pkg/metricscollector/prommetrics.go"))
	names := map[string]bool{}
	for _, found := range regexp.MustCompile(`Subsystem: "(\w+)",\s+Name:\s+"(\w+)"`).FindAllStringSubmatch(source, -1) {
		names["keda_"+found[1]+"_"+found[2]] = true
	}
	return names
}

// metrics are the names that a query asks for.
func metrics(t *testing.T, query string) []string {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var names []string
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			name := selector.Name
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == labels.MetricName {
					name = matcher.Value
				}
			}
			names = append(names, name)
		}
		return nil
	})
	return names
}

func TestEveryRuleDashboardAndTriggerAsksForMetricsThatThereAre(t *testing.T) {
	there := known(t)
	asked := 0
	check := func(where, query string) {
		for _, name := range metrics(t, query) {
			asked++
			if !there[name] {
				t.Errorf("%s asks for %s, which nothing tells", where, name)
			}
		}
	}
	for _, file := range sources(t, "monitoring/rules/*.yaml") {
		for _, rule := range rulesOf(t, file) {
			check(rule.Record+rule.Alert, rule.Expr)
		}
	}
	variables := strings.NewReplacer("$namespace", "n", "$name", "n", "$lead", "3m")
	for _, file := range sources(t, "monitoring/dashboards/*.json") {
		for _, panel := range dashboard(t, file).Panels {
			for _, target := range panel.Targets {
				check(file+": "+panel.Title, variables.Replace(target.Expr))
			}
		}
	}
	for _, object := range kustomized(t, ".") {
		if object.GetKind() != "ScaledObject" {
			continue
		}
		triggers, _ := object.Object["spec"].(map[string]any)["triggers"].([]any)
		for _, trigger := range triggers {
			check(title(object), trigger.(map[string]any)["metadata"].(map[string]any)["query"].(string))
		}
	}
	if asked < 150 {
		t.Fatalf("only %d metrics were asked for", asked)
	}
}
