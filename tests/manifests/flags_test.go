package manifests

import (
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

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
				if !strings.Contains(text, flag+" ") && !strings.Contains(text, flag+"\n") {
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
