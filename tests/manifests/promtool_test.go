package manifests

import (
	"os/exec"
	"testing"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/dns"
	_ "github.com/prometheus/prometheus/discovery/kubernetes"
)

func TestPromtoolTakesTheRulesAndEachAlertFiresOnItsCauseAlone(t *testing.T) {
	check := append([]string{"check", "rules", "--lint-fatal"}, sources(t, "monitoring/rules/*.yaml")...)
	runs := [][]string{check}
	for _, file := range sources(t, "monitoring/rules/tests/*.yaml") {
		runs = append(runs, []string{"test", "rules", file})
	}
	for _, arguments := range runs {
		if output, err := exec.Command("promtool", arguments...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", arguments, err, output)
		}
	}
}

// By the parser of the version that the manifests run: Debian's promtool knows no Kubernetes.
func TestPrometheusTakesItsConfiguration(t *testing.T) {
	texts := map[string]string{"compose": read(t, "../../deploy/compose/prometheus.yml")}
	for _, entry := range entryPoints {
		for _, object := range kustomized(t, entry) {
			if object.GetKind() == "ConfigMap" && object.GetName() == "prometheus" {
				texts[entry] = object.Object["data"].(map[string]any)["prometheus.yml"].(string)
			}
		}
	}
	for name, text := range texts {
		found, err := config.Load(text, promslog.NewNopLogger())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(found.ScrapeConfigs) < 2 {
			t.Errorf("%s: %d jobs", name, len(found.ScrapeConfigs))
		}
	}
	if len(texts) != len(entryPoints)+1 {
		t.Errorf("%d configurations", len(texts))
	}
}
