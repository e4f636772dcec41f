package manifests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestTheTemplatesOfSecretsHaveEveryKeyThatIsReadAndNothingSecret(t *testing.T) {
	byHand, fetched := offered(t)
	reads := 0
	for _, object := range kustomized(t, "overlays/production") {
		template := podTemplate(t, object)
		if template == nil {
			continue
		}
		wanted := func(name, key string) {
			reads++
			secret := object.GetNamespace() + "/" + name
			if !slices.Contains(byHand[secret], key) {
				t.Errorf("%s reads %s of Secret %s, which no template has", title(object), key, secret)
			}
			if others, is := fetched[secret]; is && !slices.Contains(others, key) {
				t.Errorf("%s reads %s of Secret %s, which no ExternalSecret gives", title(object), key, secret)
			}
		}
		for _, volume := range template.Spec.Volumes {
			if volume.Secret != nil {
				for _, item := range volume.Secret.Items {
					wanted(volume.Secret.SecretName, item.Key)
				}
				if len(volume.Secret.Items) == 0 && len(byHand[object.GetNamespace()+"/"+volume.Secret.SecretName]) == 0 {
					t.Errorf("%s mounts Secret %s, of which there is no template", title(object), volume.Secret.SecretName)
				}
			}
		}
		for _, container := range template.Spec.Containers {
			for _, set := range container.Env {
				if set.ValueFrom != nil && set.ValueFrom.SecretKeyRef != nil {
					wanted(set.ValueFrom.SecretKeyRef.Name, set.ValueFrom.SecretKeyRef.Key)
				}
			}
		}
	}
	if reads == 0 {
		t.Error("production reads no key of any secret")
	}
}

// offered are the keys of the Secrets that the templates lead to, by hand or by cert-manager, and by External Secrets.
func offered(t *testing.T) (byHand, fetched map[string][]string) {
	t.Helper()
	byHand, fetched = map[string][]string{}, map[string][]string{}
	files, err := filepath.Glob(filepath.Join(k8s, "secrets/*.template"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates (%v)", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects(t, file, text) {
			name, _, _ := unstructured.NestedString(object.Object, "spec", "secretName")
			target, _, _ := unstructured.NestedString(object.Object, "spec", "target", "name")
			in := object.GetNamespace() + "/"
			switch object.GetAPIVersion() + " " + object.GetKind() {
			case "v1 Secret":
				byHand[in+object.GetName()] = keysByHand(t, file, object)
			case "cert-manager.io/v1 Issuer":
			case "cert-manager.io/v1 Certificate":
				byHand[in+name] = []string{"tls.crt", "tls.key", "ca.crt"}
			case "external-secrets.io/v1 ExternalSecret":
				fetched[in+target] = keysFetched(object)
			default:
				t.Errorf("%s: %s %s is none of what the guide names", file, object.GetAPIVersion(), object.GetKind())
			}
		}
	}
	return byHand, fetched
}

// keysByHand are the keys of a Secret that is written by hand; each value must be left open.
func keysByHand(t *testing.T, file string, object *unstructured.Unstructured) []string {
	t.Helper()
	var secret core.Secret
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &secret, true); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var keys []string
	for key, value := range secret.StringData {
		if !strings.Contains(value, "${") {
			t.Errorf("%s: %s holds a value", file, key)
		}
		keys = append(keys, key)
	}
	if len(secret.Data) > 0 {
		t.Errorf("%s holds values", file)
	}
	return keys
}

// keysFetched are the keys of the Secret that an ExternalSecret makes.
func keysFetched(object *unstructured.Unstructured) []string {
	var keys []string
	made, _, _ := unstructured.NestedStringMap(object.Object, "spec", "target", "template", "data")
	for key := range made {
		keys = append(keys, key)
	}
	if len(keys) > 0 {
		return keys
	}
	data, _, _ := unstructured.NestedSlice(object.Object, "spec", "data")
	for _, item := range data {
		key, _, _ := unstructured.NestedString(item.(map[string]any), "secretKey")
		keys = append(keys, key)
	}
	return keys
}
