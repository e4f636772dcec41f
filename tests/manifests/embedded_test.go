package manifests

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the manifests that hold rules and dashboards anew")

const head = "# Made of %s by `just manifests-update`; edit those.\n"

// embedded are the files that hold others, so that both `kubectl apply -f` and Kustomize take them.
func embedded(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	files["monitoring/prometheus-rules.yaml"] = configMap(t, "prometheus-rules", "metrics", "prometheus", "monitoring/rules/*.yaml")
	files["monitoring/grafana-dashboards.yaml"] = configMap(t, "grafana-dashboards", "dashboards", "grafana", "monitoring/dashboards/*.json")
	files["base/namespaces.yaml"] = strings.Replace(head, "%s", "../namespaces.yaml", 1) + read(t, filepath.Join(k8s, "namespaces.yaml"))
	files["monitoring-operator/prometheus-rules.yaml"] = prometheusRule(t)
	for _, pattern := range []string{"monitoring/rules/*.yaml", "monitoring/dashboards/*.json"} {
		for _, file := range sources(t, pattern) {
			files["charts/prescale/files/"+filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = read(t, file)
		}
	}
	return files
}

func configMap(t *testing.T, name, component, app, pattern string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(strings.Replace(head, "%s", filepath.Dir(strings.TrimPrefix(pattern, "monitoring/"))+"/", 1))
	text.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: monitoring\n  labels:\n")
	text.WriteString("    app.kubernetes.io/name: " + app + "\n    app.kubernetes.io/component: " + component + "\n    app.kubernetes.io/part-of: prescale\ndata:\n")
	for _, file := range sources(t, pattern) {
		text.WriteString("  " + filepath.Base(file) + ": |\n" + indented(read(t, file), "    "))
	}
	return text.String()
}

func prometheusRule(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(strings.Replace(head, "%s", "../monitoring/rules/", 1))
	text.WriteString("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: prescale\n  namespace: monitoring\n  labels:\n")
	text.WriteString("    app.kubernetes.io/name: prometheus\n    app.kubernetes.io/component: metrics\n    app.kubernetes.io/part-of: prescale\nspec:\n  groups:\n")
	for _, file := range sources(t, "monitoring/rules/*.yaml") {
		_, groups, found := strings.Cut(read(t, file), "groups:\n")
		if !found {
			t.Fatalf("%s has no groups", file)
		}
		text.WriteString(indented(groups, "  "))
	}
	return text.String()
}

func indented(text, by string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			out.WriteString(by)
		}
		out.WriteString(line)
	}
	return out.String()
}

func sources(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(k8s, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestManifestsHoldTheRulesAndDashboardsAsTheyAre(t *testing.T) {
	for name, wanted := range embedded(t) {
		file := filepath.Join(k8s, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(wanted), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if found, err := os.ReadFile(file); err != nil || string(found) != wanted {
			t.Errorf("%s is not what its sources make (%v); run `just manifests-update`", name, err)
		}
	}
}
