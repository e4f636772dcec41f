package manifests

import (
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

// chartValues are the ways to install the chart that are tried.
var chartValues = map[string]map[string]any{
	"as it comes": {},
	"split": {
		"mode":  "split",
		"redis": map[string]any{"url": "redis://redis:6379/0"},
	},
	"everything": {
		"mode":           "split",
		"allowServers":   []any{"https://mimir.example.com", "*.monitoring.svc"},
		"image":          map[string]any{"digest": "sha256:" + strings.Repeat("0a", 32)},
		"redis":          map[string]any{"url": "redis://redis:6379/0", "existingSecret": "redis"},
		"tls":            map[string]any{"scalerSecret": "keda-scaler-tls", "forecasterSecret": "forecaster-tls"},
		"serviceMonitor": map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}},
		"prometheusRule": map[string]any{"enabled": true},
		"dashboards":     map[string]any{"enabled": true},
		"scaler": map[string]any{
			"replicas": 3, "priorityClassName": "system-cluster-critical", "podAnnotations": map[string]any{"a": "b"},
			"nodeSelector": map[string]any{"a": "b"}, "tolerations": []any{map[string]any{"operator": "Exists"}},
		},
	},
}

func TestTheChartIsLintedWithoutAComplaint(t *testing.T) {
	for name, values := range chartValues {
		result := lint.AllWithKubeVersion(filepath.Join(k8s, "charts/prescale"), values, "ml-autoscaler", nil)
		for _, message := range result.Messages {
			// an icon is all that a lint recommends
			if message.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, message)
			}
		}
	}
}

func TestTheSchemaRefusesWhatIsNoValue(t *testing.T) {
	chart, err := loader.Load(filepath.Join(k8s, "charts/prescale"))
	if err != nil {
		t.Fatal(err)
	}
	for what, values := range map[string]map[string]any{
		"unknown key":            {"replicas": 3},
		"unknown key of a role":  {"scaler": map[string]any{"replicaCount": 3}},
		"mode that is none":      {"mode": "both"},
		"no replicas":            {"scaler": map[string]any{"replicas": 0}},
		"split without Redis":    {"mode": "split"},
		"Prometheus without URL": {"prometheus": "prometheus:9090"},
		"password in an address": {"redis": map[string]any{"url": "redis://:secret@redis:6379"}},
	} {
		options := chartutil.ReleaseOptions{Name: "prescale", Namespace: "ml-autoscaler"}
		if _, err := chartutil.ToRenderValues(chart, values, options, chartutil.DefaultCapabilities); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

func TestTheChartSaysWhatItsValuesSay(t *testing.T) {
	all, err := templated(t, chartValues["everything"])
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, object := range all {
		counts[object.GetKind()]++
		template := podTemplate(t, object)
		if template == nil {
			continue
		}
		container := template.Spec.Containers[0]
		arguments := strings.Join(container.Args, " ")
		if !strings.Contains(container.Image, "@sha256:0a0a") {
			t.Errorf("%s runs %s", title(object), container.Image)
		}
		for _, wanted := range []string{"--tls-key-file=", "--redis-password-file=", "--allow-server=https://mimir.example.com"} {
			if !strings.Contains(arguments, wanted) {
				t.Errorf("%s has no %s: %s", title(object), wanted, arguments)
			}
		}
	}
	for kind, count := range map[string]int{
		"Deployment": 2, "Service": 2, "PodDisruptionBudget": 2, "NetworkPolicy": 2, "ServiceAccount": 1,
		"PodMonitor": 1, "PrometheusRule": 1, "ConfigMap": 3,
	} {
		if counts[kind] != count {
			t.Errorf("%d objects of kind %s, not %d", counts[kind], kind, count)
		}
	}
}
