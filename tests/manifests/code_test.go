package manifests

import (
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// coming are flags of roles that the binary does not have yet; empty once it has them.
var coming = []string{
	"--forecaster", "--redis-url", "--redis-password-file", "--tls-certificate-file", "--tls-key-file", "--tls-client-authority-file",
}

// binary is a program of ours, built by `just manifests` before the tests run.
func binary(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("CARGO_TARGET_DIR")
	if folder == "" {
		folder = "../../target"
	}
	file, err := filepath.Abs(filepath.Join(folder, "debug", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%s is not built: cargo build -p %s", name, name)
	}
	return file
}

// help is what a program says of its options.
func help(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	output, err := exec.Command(binary(t, name), append(arguments, "--help")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(output)
}

func TestEveryFlagAndVariableOfAManifestIsOneOfTheProgram(t *testing.T) {
	programs := map[string]string{"prescale": "prescale", "chat-backend": "chat-backend"}
	variable := regexp.MustCompile(`\b(PRESCALE|CHAT)_[A-Z_]+\b`)
	seen := 0
	check := func(where string, template *core.PodTemplateSpec) {
		for _, container := range template.Spec.Containers {
			image := container.Image[strings.LastIndex(container.Image, "/")+1:]
			program, ours := programs[image[:strings.IndexAny(image+":", ":@")]]
			if !ours {
				continue
			}
			text := help(t, program, container.Args[0])
			for _, argument := range container.Args[1:] {
				flag, _, _ := strings.Cut(argument, "=")
				seen++
				if !strings.Contains(text, flag+" ") && !strings.Contains(text, flag+"\n") && !slices.Contains(coming, flag) {
					t.Errorf("%s: %s has no %s", where, program, flag)
				}
			}
			for _, set := range container.Env {
				seen++
				if variable.MatchString(set.Name) && !strings.Contains(text, "[env: "+set.Name+"=") {
					t.Errorf("%s: %s reads no %s", where, program, set.Name)
				}
			}
		}
	}
	for _, entry := range entryPoints {
		for _, object := range kustomized(t, entry) {
			if template := podTemplate(t, object); template != nil {
				check(entry+": "+title(object), template)
			}
		}
	}
	for _, object := range written(t, "examples/chat-load/*.yaml") {
		if template := podTemplate(t, object); template != nil {
			check(title(object), template)
		}
	}
	for name, values := range chartValues {
		all, err := templated(t, values)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range all {
			if template := podTemplate(t, object); template != nil {
				check(name+": "+title(object), template)
			}
		}
	}
	if seen < 50 {
		t.Fatalf("only %d flags and variables were seen", seen)
	}
}

// running starts a program on a free port and stops it with the test; get asks it.
type running struct{ address string }

func start(t *testing.T, name string, arguments func(address string) []string) running {
	t.Helper()
	address := freeURL(t)
	command := exec.Command(name, arguments(address.Host)...)
	command.Dir = t.TempDir()
	if err := command.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		connection, err := net.DialTimeout("tcp", address.Host, time.Second)
		if err == nil {
			connection.Close()
			return running{address.String()}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen", name)
		}
	}
}

func (r running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get(r.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestEveryProbeOfOursIsAnswered(t *testing.T) {
	chat := start(t, binary(t, "chat-backend"), func(address string) []string { return []string{"serve", "--listen=" + address} })
	prescale := startPrescale(t, "http://127.0.0.1:9")
	probes := 0
	for _, entry := range entryPoints {
		for _, object := range kustomized(t, entry) {
			server, ours := map[string]running{"chat-backend": chat, "forecaster": prescale, "keda-scaler": prescale}[object.GetName()]
			template := podTemplate(t, object)
			if template == nil || !ours {
				continue
			}
			container := template.Spec.Containers[0]
			for _, probe := range []*core.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
				if probe.HTTPGet == nil {
					if service := probe.GRPC.Service; service != nil && *service != "externalscaler.ExternalScaler" {
						t.Errorf("%s: %s is no service of the scaler", title(object), *service)
					}
					continue
				}
				probes++
				if status, _ := server.get(t, probe.HTTPGet.Path); status != http.StatusOK {
					t.Errorf("%s: %s answers %d", title(object), probe.HTTPGet.Path, status)
				}
			}
		}
	}
	if probes < 20 {
		t.Fatalf("only %d probes", probes)
	}
}

func startPrescale(t *testing.T, prometheus string) running {
	t.Helper()
	grpc := freeURL(t)
	return start(t, binary(t, "prescale"), func(address string) []string {
		return []string{"serve", "--prometheus=" + prometheus, "--grpc-address=" + grpc.Host, "--http-address=" + address}
	})
}

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

type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func rulesOf(t *testing.T, file string) []rule {
	t.Helper()
	var content struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.UnmarshalStrict([]byte(withoutNames(read(t, file))), &content); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var all []rule
	for _, group := range content.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

var groupName = regexp.MustCompile(`(?m)^  - name: .*\n    rules:`)

// withoutNames leaves of a group its rules, since they are all that is read here.
func withoutNames(text string) string {
	return groupName.ReplaceAllString(text, "  - rules:")
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

func TestEveryAlertTellsWhatToDo(t *testing.T) {
	const base = "https://github.com/prescale/prescale/blob/main/"
	alerts := 0
	for _, file := range sources(t, "monitoring/rules/*.yaml") {
		tests := read(t, filepath.Join(filepath.Dir(file), "tests", strings.Replace(filepath.Base(file), "recording", "forecasting", 1)))
		for _, rule := range rulesOf(t, file) {
			if rule.Alert == "" {
				continue
			}
			alerts++
			if !slices.Contains([]string{"info", "warning", "critical"}, rule.Labels["severity"]) {
				t.Errorf("%s has severity %q", rule.Alert, rule.Labels["severity"])
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s says nothing", rule.Alert)
			}
			page, anchor, _ := strings.Cut(strings.TrimPrefix(rule.Annotations["runbook_url"], base), "#")
			text, err := os.ReadFile(filepath.Join("../..", page))
			if err != nil || !strings.Contains(strings.ToLower(string(text)), "\n## "+anchor+"\n") {
				t.Errorf("%s: %s has no section %s (%v)", rule.Alert, page, anchor, err)
			}
			if !strings.Contains(tests, `alertname="`+rule.Alert+`"`) {
				t.Errorf("no test makes %s fire", rule.Alert)
			}
		}
	}
	if alerts < 25 {
		t.Errorf("%d alerts", alerts)
	}
}

type panel struct {
	ID         int
	Title      string
	Type       string
	Datasource struct{ UID string }
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct{ Expr, RefID string }
}

type board struct {
	UID, Title    string
	SchemaVersion int
	Panels        []panel
}

func dashboard(t *testing.T, file string) board {
	t.Helper()
	var found board
	if err := json.Unmarshal([]byte(read(t, file)), &found); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return found
}

func TestEveryDashboardIsWholeAndItsPanelsDoNotOverlap(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range sources(t, "monitoring/dashboards/*.json") {
		found := dashboard(t, file)
		if found.UID != strings.TrimSuffix(filepath.Base(file), ".json") || seen[found.UID] || found.Title == "" || found.SchemaVersion == 0 {
			t.Errorf("%s: uid %q, title %q", file, found.UID, found.Title)
		}
		seen[found.UID] = true
		taken := map[[2]int]string{}
		identities := map[int]bool{}
		for _, panel := range found.Panels {
			if identities[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 || panel.Datasource.UID != "prometheus" {
				t.Errorf("%s: panel %d (%s)", file, panel.ID, panel.Title)
			}
			identities[panel.ID] = true
			for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
				for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
					if x >= 24 || taken[[2]int{x, y}] != "" {
						t.Fatalf("%s: %q lies over %q or outside", file, panel.Title, taken[[2]int{x, y}])
					}
					taken[[2]int{x, y}] = panel.Title
				}
			}
		}
	}
	if len(seen) < 4 {
		t.Errorf("%d dashboards", len(seen))
	}
}

func TestGrafanasOwnTypesReadEveryDashboard(t *testing.T) {
	python := os.Getenv("PRESCALE_TEST_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import grafana_foundation_sdk").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("without Grafana's types; pip install grafana-foundation-sdk")
		}
		t.Skip("without Grafana's types; pip install grafana-foundation-sdk")
	}
	arguments := append([]string{"dashboards.py"}, sources(t, "monitoring/dashboards/*.json")...)
	if output, err := exec.Command(python, arguments...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
