package manifests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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
