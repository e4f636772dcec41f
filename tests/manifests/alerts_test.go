package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

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
