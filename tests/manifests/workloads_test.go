package manifests

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestEveryContainerHasItsLimitsProbesAndAPinnedImage(t *testing.T) {
	for _, entry := range entryPoints {
		for _, object := range kustomized(t, entry) {
			template := podTemplate(t, object)
			if template == nil {
				continue
			}
			spec := template.Spec
			name := entry + ": " + title(object)
			if spec.ServiceAccountName == "" || spec.ServiceAccountName == "default" {
				t.Errorf("%s has no account of its own", name)
			}
			wantsToken := object.GetName() == "prometheus" || object.GetName() == "kube-state-metrics"
			if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken != wantsToken {
				t.Errorf("%s: token is %v", name, spec.AutomountServiceAccountToken)
			}
			if spec.TerminationGracePeriodSeconds == nil {
				t.Errorf("%s has no grace period", name)
			}
			if object.GetKind() == "Deployment" && object.GetNamespace() == "ml-autoscaler" &&
				(len(spec.TopologySpreadConstraints) == 0 || spec.Affinity == nil || spec.Affinity.PodAntiAffinity == nil) {
				t.Errorf("%s does not spread", name)
			}
			for _, container := range spec.Containers {
				where := name + "/" + container.Name
				for _, of := range []core.ResourceList{container.Resources.Requests, container.Resources.Limits} {
					for _, kind := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory, core.ResourceEphemeralStorage} {
						if of.Name(kind, resource.DecimalSI).IsZero() {
							t.Errorf("%s states no %s", where, kind)
						}
					}
				}
				if container.LivenessProbe == nil || container.ReadinessProbe == nil || container.StartupProbe == nil {
					t.Errorf("%s lacks a probe", where)
				}
				_, tag, _ := strings.Cut(container.Image[strings.LastIndex(container.Image, "/")+1:], ":")
				if tag == "" || tag == "latest" {
					t.Errorf("%s runs %s", where, container.Image)
				}
				security := container.SecurityContext
				if security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
					t.Errorf("%s may write to its image", where)
				}
				mounted := map[string]bool{}
				for _, volume := range spec.Volumes {
					mounted[volume.Name] = true
				}
				for _, mount := range container.VolumeMounts {
					if !mounted[mount.Name] {
						t.Errorf("%s mounts %s, which there is not", where, mount.Name)
					}
				}
			}
		}
	}
}

func TestEveryConfigMapIsThereAndEverySecretIsDocumented(t *testing.T) {
	guide := read(t, filepath.Join(k8s, "secrets/README.md"))
	for _, entry := range entryPoints {
		all := kustomized(t, entry)
		there := map[string]bool{}
		for _, object := range all {
			if object.GetKind() == "ConfigMap" {
				there[object.GetNamespace()+"/"+object.GetName()] = true
			}
		}
		for _, object := range all {
			template := podTemplate(t, object)
			if template == nil {
				continue
			}
			secrets := map[string]bool{}
			for _, volume := range template.Spec.Volumes {
				if volume.ConfigMap != nil && !there[object.GetNamespace()+"/"+volume.ConfigMap.Name] {
					t.Errorf("%s: %s mounts ConfigMap %s, which there is not", entry, title(object), volume.ConfigMap.Name)
				}
				if volume.Secret != nil {
					secrets[volume.Secret.SecretName] = true
				}
			}
			for _, container := range template.Spec.Containers {
				for _, set := range container.Env {
					if set.ValueFrom != nil && set.ValueFrom.SecretKeyRef != nil {
						secrets[set.ValueFrom.SecretKeyRef.Name] = true
					}
				}
			}
			for name := range secrets {
				if entry != "overlays/production" {
					t.Errorf("%s: %s needs Secret %s", entry, title(object), name)
				}
				if !strings.Contains(guide, "`"+name+"`") {
					t.Errorf("%s: Secret %s of %s is not in the guide", entry, name, title(object))
				}
			}
		}
	}
}

func TestEverySelectorFindsPodsAndEveryPortIsOneOfTheirs(t *testing.T) {
	for _, entry := range append(slices.Clone(entryPoints), "monitoring-operator") {
		all := kustomized(t, entry)
		pods := podsOf(t, all)
		if entry == "monitoring-operator" {
			pods = podsOf(t, kustomized(t, "."))
		}
		for _, object := range all {
			name := entry + ": " + title(object)
			switch object.GetKind() {
			case "Service":
				var service core.Service
				convert(t, object, &service)
				found := selected(pods, object.GetNamespace(), labels.Set(service.Spec.Selector).AsSelector())
				if len(found) != 1 {
					t.Errorf("%s selects %d workloads", name, len(found))
					continue
				}
				for _, port := range service.Spec.Ports {
					if !slices.ContainsFunc(found[0].ports, func(p core.ContainerPort) bool {
						return p.Name == port.TargetPort.StrVal || p.ContainerPort == port.TargetPort.IntVal
					}) {
						t.Errorf("%s sends to port %s, which %s does not have", name, port.TargetPort.String(), found[0].name)
					}
				}
			case "PodDisruptionBudget", "Deployment", "StatefulSet", "DaemonSet":
				raw, _, _ := unstructured.NestedMap(object.Object, "spec", "selector")
				var written metav1.LabelSelector
				if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &written); err != nil {
					t.Fatal(err)
				}
				parsed, err := metav1.LabelSelectorAsSelector(&written)
				if err != nil {
					t.Fatal(err)
				}
				if found := selected(pods, object.GetNamespace(), parsed); len(found) != 1 {
					t.Errorf("%s selects %d workloads", name, len(found))
				}
			}
		}
	}
}

func TestEveryWorkloadThatServesHasABudget(t *testing.T) {
	all := kustomized(t, "overlays/production")
	budgets := map[string]bool{}
	for _, object := range all {
		if object.GetKind() == "PodDisruptionBudget" {
			budgets[object.GetNamespace()+"/"+object.GetName()] = true
		}
	}
	for _, object := range all {
		if kind := object.GetKind(); (kind == "Deployment" || kind == "StatefulSet") && !budgets[object.GetNamespace()+"/"+object.GetName()] {
			t.Errorf("%s has no budget", title(object))
		}
	}
}

func TestEverythingCarriesTheCommonLabels(t *testing.T) {
	for _, entry := range entryPoints {
		for _, object := range kustomized(t, entry) {
			if object.GetLabels()["app.kubernetes.io/part-of"] != "prescale" {
				t.Errorf("%s: %s does not say what it is part of", entry, title(object))
			}
		}
	}
}

func TestTheQuotaHasRoomForTheWorkloadAtItsMaximum(t *testing.T) {
	for _, entry := range entryPoints {
		all := kustomized(t, entry)
		used := map[string]*resource.Quantity{}
		add := func(name string, quantity resource.Quantity, times int64) {
			if used[name] == nil {
				used[name] = &resource.Quantity{}
			}
			quantity.Mul(times)
			used[name].Add(quantity)
		}
		most := int64(0)
		for _, object := range all {
			if object.GetKind() == "ScaledObject" {
				most, _, _ = unstructured.NestedInt64(object.Object, "spec", "maxReplicaCount")
			}
		}
		for _, object := range all {
			template := podTemplate(t, object)
			if template == nil || object.GetNamespace() != "ml-autoscaler" {
				continue
			}
			replicas, found, _ := unstructured.NestedInt64(object.Object, "spec", "replicas")
			if object.GetName() == "chat-backend" {
				// a quarter more while it rolls
				replicas = most + most/4
			} else if !found {
				t.Errorf("%s states no replicas", title(object))
			}
			add("pods", resource.MustParse("1"), replicas)
			for _, container := range template.Spec.Containers {
				for name, quantity := range container.Resources.Requests {
					add(fmt.Sprintf("requests.%s", name), quantity, replicas)
				}
				for name, quantity := range container.Resources.Limits {
					add(fmt.Sprintf("limits.%s", name), quantity, replicas)
				}
			}
		}
		for _, object := range all {
			if object.GetKind() != "ResourceQuota" || object.GetNamespace() != "ml-autoscaler" {
				continue
			}
			var quota core.ResourceQuota
			convert(t, object, &quota)
			for name, hard := range quota.Spec.Hard {
				if sum := used[string(name)]; sum != nil && sum.Cmp(hard) > 0 {
					t.Errorf("%s: %s of %s are needed, the quota has %s", entry, sum, name, hard.String())
				}
			}
		}
	}
}

func selected(pods []pod, namespace string, by labels.Selector) []pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p pod) bool {
		return p.namespace != namespace || by.Empty() || !by.Matches(p.labels)
	})
}

func convert(t *testing.T, object *unstructured.Unstructured, into any) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true); err != nil {
		t.Fatalf("%s: %v", title(object), err)
	}
}
