package manifests

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// What the custom resources are, in the versions that the documents name.
const (
	kedaModule     = "github.com/kedacore/keda/v2@v2.21.0"
	operatorModule = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
)

// cluster is a running API server with KEDA's and the Prometheus Operator's resources.
type cluster struct {
	t        *testing.T
	dynamic  dynamic.Interface
	client   *kubernetes.Clientset
	mapper   *restmapper.DeferredDiscoveryRESTMapper
	settings *rest.Config
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	settings := startCluster(t)
	client := kubernetes.NewForConfigOrDie(settings)
	c := &cluster{
		t:        t,
		dynamic:  dynamic.NewForConfigOrDie(settings),
		client:   client,
		mapper:   restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		settings: settings,
	}
	c.define(filepath.Join(moduleFolder(t, kedaModule), "config/crd/bases"), "keda.sh_")
	c.define(filepath.Join(moduleFolder(t, operatorModule), "example/prometheus-operator-crd"), "monitoring.coreos.com_")
	return c
}

// moduleFolder is where the Go module proxy's copy of a module lies; go.sum is not asked, the checksum database is.
func moduleFolder(t *testing.T, module string) string {
	t.Helper()
	command := exec.Command("go", "mod", "download", "-json", module)
	command.Dir = t.TempDir()
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", module, err, output)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatal(err)
	}
	return found.Dir
}

// define adds the custom resources of a folder, and waits until they are served.
func (c *cluster) define(folder, prefix string) {
	c.t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, prefix+"*.yaml"))
	if len(files) == 0 {
		c.t.Fatalf("%s holds no definitions", folder)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, object := range objects(c.t, file, text) {
			if err := c.apply(object, false); err != nil {
				c.t.Fatalf("%s: %v", file, err)
			}
			c.served(object)
		}
	}
}

func (c *cluster) served(definition *unstructured.Unstructured) {
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	version := versions[0].(map[string]any)["name"].(string)
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		if list, err := c.client.Discovery().ServerResourcesForGroupVersion(group + "/" + version); err == nil && len(list.APIResources) > 0 {
			name, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
			if slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == name }) {
				c.mapper.Reset()
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatalf("%s is not served", definition.GetName())
}

// apply does what `kubectl apply --server-side --validate=strict` does: unknown and doubled fields are errors.
func (c *cluster) apply(object *unstructured.Unstructured, dryRun bool) error {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = c.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		if object.GetNamespace() == "" {
			return fmt.Errorf("%s names no namespace", title(object))
		}
		resource = c.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	force := true
	options := metav1.PatchOptions{FieldManager: "test", Force: &force, FieldValidation: "Strict"}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = resource.Patch(context.Background(), object.GetName(), "application/apply-patch+yaml", text, options)
	return err
}

func (c *cluster) applyAll(all []*unstructured.Unstructured) {
	c.t.Helper()
	// namespaces first, as both kubectl and kustomize have them
	slices.SortStableFunc(all, func(a, b *unstructured.Unstructured) int {
		first := func(o *unstructured.Unstructured) int {
			if o.GetKind() == "Namespace" {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	for _, object := range all {
		if err := c.apply(object, false); err != nil {
			c.t.Errorf("%s: %v", title(object), err)
		}
	}
}

// podTemplate is what a workload makes its pods of.
func podTemplate(t *testing.T, object *unstructured.Unstructured) *core.PodTemplateSpec {
	t.Helper()
	path := []string{"spec", "template"}
	switch object.GetKind() {
	case "Deployment", "StatefulSet", "DaemonSet", "Job":
	case "CronJob":
		path = []string{"spec", "jobTemplate", "spec", "template"}
	default:
		return nil
	}
	raw, found, err := unstructured.NestedMap(object.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s has no template: %v", title(object), err)
	}
	template := &core.PodTemplateSpec{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(raw, template, true); err != nil {
		t.Fatalf("%s: %v", title(object), err)
	}
	// a StatefulSet gives its pods the volumes that it claims
	claims, _, _ := unstructured.NestedSlice(object.Object, "spec", "volumeClaimTemplates")
	for _, claim := range claims {
		name, _, _ := unstructured.NestedString(claim.(map[string]any), "metadata", "name")
		source := core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: name}}
		template.Spec.Volumes = append(template.Spec.Volumes, core.Volume{Name: name, VolumeSource: source})
	}
	return template
}

// admit asks the server for a pod of every workload: Pod Security, service accounts and limit ranges have their say.
func (c *cluster) admit(all []*unstructured.Unstructured) {
	c.t.Helper()
	for _, object := range all {
		template := podTemplate(c.t, object)
		if template == nil {
			continue
		}
		pod := &core.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		pod.GenerateName = object.GetName() + "-"
		_, err := c.client.CoreV1().Pods(object.GetNamespace()).Create(context.Background(), pod, metav1.CreateOptions{
			DryRun: []string{metav1.DryRunAll}, FieldValidation: "Strict",
		})
		if err != nil {
			c.t.Errorf("a pod of %s is refused: %v", title(object), err)
		}
	}
}

func TestEveryEntryPointIsTakenByAnAPIServerAndItsPodsByPodSecurity(t *testing.T) {
	c := newCluster(t)
	for _, entry := range entryPoints {
		t.Run(entry, func(t *testing.T) {
			c := &cluster{t: t, dynamic: c.dynamic, client: c.client, mapper: c.mapper, settings: c.settings}
			all := kustomized(t, entry)
			if len(all) < 50 {
				t.Fatalf("only %d objects", len(all))
			}
			// another overlay than the one before: what cannot be changed in place goes
			for _, namespace := range []string{"ml-autoscaler", "monitoring"} {
				if err := c.client.AppsV1().StatefulSets(namespace).DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			c.applyAll(all)
			c.admit(all)
		})
	}
	t.Run("plain files in order", func(t *testing.T) {
		c := &cluster{t: t, dynamic: c.dynamic, client: c.client, mapper: c.mapper, settings: c.settings}
		for _, pattern := range []string{"namespaces.yaml", "monitoring/*.yaml", "ml-autoscaler/*.yaml"} {
			for _, object := range written(t, pattern) {
				if err := c.apply(object, false); err != nil {
					t.Errorf("%s: %v", title(object), err)
				}
			}
		}
	})
	t.Run("Prometheus Operator", func(t *testing.T) {
		c := &cluster{t: t, dynamic: c.dynamic, client: c.client, mapper: c.mapper, settings: c.settings}
		c.applyAll(kustomized(t, "monitoring-operator"))
	})
	t.Run("examples", func(t *testing.T) {
		c := &cluster{t: t, dynamic: c.dynamic, client: c.client, mapper: c.mapper, settings: c.settings}
		all := written(t, "examples/*/*.yaml")
		for _, object := range all {
			namespace := &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": object.GetNamespace()},
			}}
			if object.GetNamespace() != "ml-autoscaler" {
				c.applyAll([]*unstructured.Unstructured{namespace})
			}
		}
		c.applyAll(all)
		c.admit(all)
	})
	t.Run("chart", func(t *testing.T) {
		c := &cluster{t: t, dynamic: c.dynamic, client: c.client, mapper: c.mapper, settings: c.settings}
		for name, values := range chartValues {
			all, err := templated(t, values)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, object := range all {
				if err := c.apply(object, true); err != nil {
					t.Errorf("%s: %s: %v", name, title(object), err)
				}
			}
		}
	})
	t.Run("a mistake is refused", func(t *testing.T) {
		c := &cluster{t: t, dynamic: c.dynamic, client: c.client, mapper: c.mapper, settings: c.settings}
		for _, object := range kustomized(t, ".") {
			if object.GetKind() == "ScaledObject" || object.GetKind() == "Deployment" {
				broken := object.DeepCopy()
				_ = unstructured.SetNestedField(broken.Object, "x", "spec", "typo")
				if err := c.apply(broken, true); err == nil || !strings.Contains(err.Error(), "typo") {
					t.Errorf("%s with an unknown field: %v", title(object), err)
				}
			}
		}
	})
	t.Run("a privileged pod is refused", func(t *testing.T) {
		yes := true
		pod := &core.Pod{ObjectMeta: metav1.ObjectMeta{Name: "root", Namespace: "monitoring"}, Spec: core.PodSpec{Containers: []core.Container{{
			Name: "root", Image: "x", SecurityContext: &core.SecurityContext{Privileged: &yes},
		}}}}
		_, err := c.client.CoreV1().Pods("monitoring").Create(context.Background(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if !apierrors.IsForbidden(err) {
			t.Errorf("a privileged pod: %v", err)
		}
	})
	t.Run("rights", func(t *testing.T) { c.rights(t) })
}

// rights holds each account with a token to what it may do, and to nothing more.
func (c *cluster) rights(t *testing.T) {
	type right struct {
		account, namespace, verb, group, resource string
		may                                       bool
	}
	for _, r := range []right{
		{"prometheus", "ml-autoscaler", "list", "", "pods", true},
		{"prometheus", "monitoring-nodes", "watch", "", "pods", true},
		{"prometheus", "default", "list", "", "pods", false},
		{"prometheus", "ml-autoscaler", "get", "", "secrets", false},
		{"prometheus", "ml-autoscaler", "get", "", "configmaps", false},
		{"prometheus", "", "get", "", "nodes", false},
		{"kube-state-metrics", "ml-autoscaler", "list", "apps", "deployments", true},
		{"kube-state-metrics", "ml-autoscaler", "watch", "autoscaling", "horizontalpodautoscalers", true},
		{"kube-state-metrics", "kube-system", "list", "", "pods", false},
		{"kube-state-metrics", "ml-autoscaler", "list", "", "secrets", false},
		{"kube-state-metrics", "ml-autoscaler", "create", "", "pods", false},
		{"grafana", "monitoring", "get", "", "pods", false},
		{"default", "monitoring", "get", "", "pods", false},
	} {
		review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{
			User:   "system:serviceaccount:monitoring:" + r.account,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:monitoring", "system:authenticated"},
			ResourceAttributes: &authorization.ResourceAttributes{
				Namespace: r.namespace, Verb: r.verb, Group: r.group, Resource: r.resource,
			},
		}}
		deadline := time.Now().Add(20 * time.Second)
		for {
			answer, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(context.Background(), review, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			// the authorizer reads roles from a cache that follows
			if answer.Status.Allowed == r.may {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%+v: allowed is %v", r, answer.Status.Allowed)
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}
