package manifests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// pod is one that sends or takes traffic: of a workload here, or of one that is somebody else's.
type pod struct {
	name      string
	namespace string
	labels    labels.Set
	ports     []core.ContainerPort
}

// outsiders are pods of others that flows lead to or from, and some that none may.
var outsiders = []pod{
	{name: "keda-operator", namespace: "keda", labels: labels.Set{"app": "keda-operator"}, ports: ports(8080, 9666)},
	{name: "keda-admission", namespace: "keda", labels: labels.Set{"app": "keda-admission-webhooks"}, ports: ports(9443)},
	{name: "dns", namespace: "kube-system", labels: labels.Set{"k8s-app": "kube-dns"}, ports: ports(53)},
	{name: "ingress", namespace: "ingress-nginx", labels: labels.Set{"app.kubernetes.io/name": "ingress-nginx"}, ports: ports(443)},
	{name: "stranger", namespace: "default", labels: labels.Set{"app.kubernetes.io/name": "prometheus", "app": "keda-operator"}, ports: ports(8080)},
	{name: "intruder", namespace: "ml-autoscaler", labels: labels.Set{"app.kubernetes.io/name": "intruder"}, ports: ports(8080)},
}

// flows are those of the architecture: who calls whom, on which port. Those to DNS and to the API server stand apart.
var flows = map[string][]string{
	".": {
		"chat-backend > redis:6379",
		"chat-load > chat-backend:8080",
		"forecaster > prometheus:9090",
		"forecaster > redis:6379",
		"grafana > prometheus:9090",
		"ingress > chat-backend:8080",
		"ingress > grafana:3000",
		"keda-operator > keda-scaler:6000",
		"keda-operator > prometheus:9090",
		"keda-scaler > forecaster:6001",
		"keda-scaler > redis:6379",
		"prometheus > chat-backend:8080",
		"prometheus > forecaster:8080",
		"prometheus > grafana:3000",
		"prometheus > keda-operator:8080",
		"prometheus > keda-scaler:8080",
		"prometheus > kube-state-metrics:8080",
		"prometheus > node-exporter:9100",
		"prometheus > prometheus:9090",
		"prometheus > redis:9121",
	},
}

func init() {
	flows["overlays/staging"] = flows["."]
	flows["overlays/production"] = flows["."]
	single := slices.DeleteFunc(slices.Clone(flows["."]), func(flow string) bool {
		return strings.Contains(flow, "forecaster") || flow == "keda-scaler > redis:6379"
	})
	flows["overlays/single"] = append(single, "keda-scaler > prometheus:9090")
}

func ports(numbers ...int32) []core.ContainerPort {
	var all []core.ContainerPort
	for _, number := range numbers {
		all = append(all, core.ContainerPort{ContainerPort: number})
	}
	return all
}

func TestNetworkPoliciesLetThroughExactlyTheFlowsOfTheArchitecture(t *testing.T) {
	for _, entry := range entryPoints {
		// with the load generator, which is applied apart
		all := append(kustomized(t, entry), written(t, "examples/chat-load/*.yaml")...)
		pods := append(podsOf(t, all), outsiders...)
		policies := policiesOf(t, all)
		found := map[string]bool{}
		for _, from := range pods {
			for _, to := range pods {
				for _, port := range to.ports {
					// between two pods of others nothing of ours has a say
					if !isolated(policies, from) && !isolated(policies, to) {
						continue
					}
					if leaves(policies, from, to, port) && enters(policies, from, to, port) {
						found[fmt.Sprintf("%s > %s:%d", from.name, to.name, port.ContainerPort)] = true
					}
				}
			}
		}
		maps.DeleteFunc(found, func(flow string, _ bool) bool {
			return strings.HasSuffix(flow, "> dns:53") || strings.HasSuffix(flow, "> ingress:443")
		})
		wanted := slices.Sorted(slices.Values(flows[entry]))
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, wanted) {
			t.Errorf("%s lets through\n%s\nwanted\n%s", entry, strings.Join(got, "\n"), strings.Join(wanted, "\n"))
		}
	}
}

func TestEveryPodOfOursIsShutOffUnlessAPolicyOpensIt(t *testing.T) {
	for _, entry := range entryPoints {
		all := kustomized(t, entry)
		policies := policiesOf(t, all)
		for _, namespace := range []string{"ml-autoscaler", "monitoring", "monitoring-nodes"} {
			unknown := pod{namespace: namespace, labels: labels.Set{"any": "thing"}}
			for _, direction := range []networking.PolicyType{networking.PolicyTypeIngress, networking.PolicyTypeEgress} {
				if len(selecting(policies, unknown, direction)) == 0 {
					t.Errorf("%s: %s has no default deny for %s", entry, namespace, direction)
				}
			}
		}
	}
}

func TestWhoAsksTheAPIServerAndWhoResolvesNames(t *testing.T) {
	policies := policiesOf(t, kustomized(t, "."))
	api := pod{name: "api", namespace: "outside of every namespace"}
	dns := outsiders[2]
	for _, from := range podsOf(t, kustomized(t, ".")) {
		asks := leaves(policies, from, api, core.ContainerPort{ContainerPort: 443})
		if wanted := from.name == "prometheus" || from.name == "kube-state-metrics"; asks != wanted {
			t.Errorf("%s may reach the API server: %v", from.name, asks)
		}
		resolves := leaves(policies, from, dns, core.ContainerPort{ContainerPort: 53})
		if wanted := from.name != "redis" && from.name != "node-exporter"; resolves != wanted {
			t.Errorf("%s may resolve names: %v", from.name, resolves)
		}
	}
}

func podsOf(t *testing.T, all []*unstructured.Unstructured) []pod {
	t.Helper()
	var pods []pod
	for _, object := range all {
		if template := podTemplate(t, object); template != nil {
			found := pod{name: object.GetName(), namespace: object.GetNamespace(), labels: template.Labels}
			for _, container := range template.Spec.Containers {
				found.ports = append(found.ports, container.Ports...)
			}
			pods = append(pods, found)
		}
	}
	return pods
}

func policiesOf(t *testing.T, all []*unstructured.Unstructured) []networking.NetworkPolicy {
	t.Helper()
	var policies []networking.NetworkPolicy
	for _, object := range all {
		if object.GetKind() == "NetworkPolicy" {
			var policy networking.NetworkPolicy
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &policy, true); err != nil {
				t.Fatalf("%s: %v", title(object), err)
			}
			policies = append(policies, policy)
		}
	}
	return policies
}

func selecting(policies []networking.NetworkPolicy, of pod, direction networking.PolicyType) []networking.NetworkPolicy {
	return slices.DeleteFunc(slices.Clone(policies), func(policy networking.NetworkPolicy) bool {
		return policy.Namespace != of.namespace || !matches(&policy.Spec.PodSelector, of.labels) ||
			!slices.Contains(policy.Spec.PolicyTypes, direction)
	})
}

func isolated(policies []networking.NetworkPolicy, of pod) bool {
	return len(selecting(policies, of, networking.PolicyTypeIngress))+len(selecting(policies, of, networking.PolicyTypeEgress)) > 0
}

func leaves(policies []networking.NetworkPolicy, from, to pod, port core.ContainerPort) bool {
	chosen := selecting(policies, from, networking.PolicyTypeEgress)
	for _, policy := range chosen {
		for _, rule := range policy.Spec.Egress {
			if admits(policy.Namespace, rule.To, rule.Ports, to, port) {
				return true
			}
		}
	}
	return len(chosen) == 0
}

func enters(policies []networking.NetworkPolicy, from, to pod, port core.ContainerPort) bool {
	chosen := selecting(policies, to, networking.PolicyTypeIngress)
	for _, policy := range chosen {
		for _, rule := range policy.Spec.Ingress {
			if admits(policy.Namespace, rule.From, rule.Ports, from, port) {
				return true
			}
		}
	}
	return len(chosen) == 0
}

// admits reads one rule as the API defines it: no peers are all peers, and selectors of one peer hold together.
func admits(own string, peers []networking.NetworkPolicyPeer, open []networking.NetworkPolicyPort, other pod, port core.ContainerPort) bool {
	byPort := len(open) == 0 || slices.ContainsFunc(open, func(p networking.NetworkPolicyPort) bool {
		wanted := intstr.FromInt32(port.ContainerPort)
		return p.Port == nil || *p.Port == wanted || (p.Port.Type == intstr.String && p.Port.StrVal == port.Name)
	})
	byPeer := len(peers) == 0 || slices.ContainsFunc(peers, func(peer networking.NetworkPolicyPeer) bool {
		namespace := other.namespace == own
		if peer.NamespaceSelector != nil {
			namespace = matches(peer.NamespaceSelector, labels.Set{"kubernetes.io/metadata.name": other.namespace})
		}
		return namespace && (peer.PodSelector == nil || matches(peer.PodSelector, other.labels))
	})
	return byPort && byPeer
}

func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}
