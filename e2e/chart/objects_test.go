package chart

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// deployment has what tests look at.
type deployment struct {
	Replicas *int
	Selector selector
	Strategy struct{ Type string }
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     pod
	}
}

type selector struct{ MatchLabels map[string]string }

type pod struct {
	AutomountServiceAccountToken, EnableServiceLinks *bool
	TerminationGracePeriodSeconds                    int
	SecurityContext                                  struct {
		RunAsNonRoot                   bool
		RunAsUser, RunAsGroup, FSGroup int
		FSGroupChangePolicy            string
		SeccompProfile                 struct{ Type string }
	}
	InitContainers []container
	Containers     []container
	Volumes        []volume
}

type container struct {
	SecurityContext struct {
		AllowPrivilegeEscalation *bool
		ReadOnlyRootFilesystem   bool
		Privileged               bool
		Capabilities             struct{ Add, Drop []string }
	}
	Env                           []variable
	Ports                         []struct{ Name string }
	LivenessProbe, ReadinessProbe probe
	VolumeMounts                  []struct {
		Name, MountPath, SubPath string
	}
}

type variable struct {
	Name, Value string
	ValueFrom   struct {
		SecretKeyRef struct{ Name, Key string }
	}
}

type probe struct {
	HTTPGet          struct{ Path, Port, Scheme string }
	PeriodSeconds    int
	FailureThreshold int
}

type volume struct {
	Name   string
	Secret struct {
		SecretName  string
		DefaultMode int
	}
	PersistentVolumeClaim struct{ ClaimName string }
}

// service and what selects one.
type service struct {
	Type, ClusterIP          string
	PublishNotReadyAddresses bool
	Selector                 map[string]string
	Ports                    []struct {
		Name, TargetPort string
		Port             int
	}
}

var examples = map[string][]string{
	"postgres": {"Deployment", "Ingress", "PodDisruptionBudget", "Service"},
	"sqlite":   {"Deployment", "PersistentVolumeClaim", "Service"},
	"everything": {
		"Deployment", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "Service", "Service", "ServiceMonitor",
	},
}

// Each example is taken by lint and by the API server's types, and makes nothing else. No
// Secret or ConfigMap is among it: what is secret is named, and nowhere written down.
func TestExamples(t *testing.T) {
	for name, want := range examples {
		r := rendered(t, name, "")
		var kinds []string
		for _, o := range r.Objects {
			kinds = append(kinds, o.Kind)
			if o.Metadata.Labels["app.kubernetes.io/instance"] != "prod" || !strings.HasPrefix(o.Metadata.Name, "prod-latchkey") {
				t.Errorf("%s: %s %s has labels %v", name, o.Kind, o.Metadata.Name, o.Metadata.Labels)
			}
		}
		if slices.Sort(kinds); !slices.Equal(kinds, want) {
			t.Errorf("%s: %v, want %v", name, kinds, want)
		}
		if !strings.Contains(r.Notes, "https://account.example.com") || !strings.Contains(r.Notes, "/latchkey doctor") {
			t.Errorf("%s: notes:\n%s", name, r.Notes)
		}
	}
}

// C4: a pod is not root, has no capability, no token of the cluster, and a root file system
// that it cannot write to.
func TestPodsAreConfined(t *testing.T) {
	for name := range examples {
		var d deployment
		find(t, rendered(t, name, ""), "Deployment", "", &d)
		p := d.Template.Spec
		if s := p.SecurityContext; !s.RunAsNonRoot || s.RunAsUser != 65532 || s.RunAsGroup != 65532 || s.FSGroup != 65532 || s.FSGroupChangePolicy != "OnRootMismatch" || s.SeccompProfile.Type != "RuntimeDefault" {
			t.Errorf("%s: %+v", name, s)
		}
		if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken || p.EnableServiceLinks == nil || *p.EnableServiceLinks {
			t.Errorf("%s: a token of the cluster or variables of Services come in", name)
		}
		if len(p.Containers) != 1 || len(p.InitContainers) != 0 {
			t.Fatalf("%s: %d containers", name, len(p.Containers))
		}
		s := p.Containers[0].SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Privileged || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s: %+v", name, s)
		}
		for _, v := range p.Volumes {
			if v.Secret.SecretName != "" && v.Secret.DefaultMode != 0o440 {
				t.Errorf("%s: volume %s has mode %04o", name, v.Name, v.Secret.DefaultMode)
			}
		}
		for _, m := range p.Containers[0].VolumeMounts {
			if !slices.ContainsFunc(p.Volumes, func(v volume) bool { return v.Name == m.Name }) || m.SubPath != "" {
				t.Errorf("%s: mount %+v", name, m) // a subPath would not follow a Secret that changes
			}
		}
	}
}

// Kubernetes waits longer than the longest stop, and sends nothing to whoever stops.
func TestStopFitsTheDrain(t *testing.T) {
	var d deployment
	find(t, rendered(t, "postgres", "drain: {delaySeconds: 20, timeoutSeconds: 100}"), "Deployment", "", &d)
	c := d.Template.Spec.Containers[0]
	if d.Template.Spec.TerminationGracePeriodSeconds != 170 || valueOf(c, "LATCHKEY_DRAIN_DELAY") != "20s" || valueOf(c, "LATCHKEY_DRAIN_TIMEOUT") != "100s" {
		t.Errorf("%+v", d.Template.Spec)
	}
	if r := c.ReadinessProbe; r.HTTPGet.Path != "/readyz" || r.HTTPGet.Scheme != "HTTP" || r.PeriodSeconds*r.FailureThreshold > 20 {
		t.Errorf("%+v", r)
	}
	// A database that is away is no reason to end a node.
	if c.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Errorf("%+v", c.LivenessProbe)
	}
}

func valueOf(c container, name string) string {
	for _, v := range c.Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func TestOneNodeOnSQLiteSeveralOnPostgreSQL(t *testing.T) {
	var one, three, scaled deployment
	find(t, rendered(t, "sqlite", ""), "Deployment", "", &one)
	find(t, rendered(t, "postgres", ""), "Deployment", "", &three)
	find(t, rendered(t, "everything", ""), "Deployment", "", &scaled)
	if *one.Replicas != 1 || one.Strategy.Type != "Recreate" || *three.Replicas != 3 || three.Strategy.Type != "RollingUpdate" || scaled.Replicas != nil {
		t.Errorf("%+v %+v %+v", one.Strategy, three.Strategy, scaled.Replicas)
	}
	var claim struct{ AccessModes []string }
	name := find(t, rendered(t, "sqlite", ""), "PersistentVolumeClaim", "", &claim).Metadata.Name
	i := slices.IndexFunc(one.Template.Spec.Volumes, func(v volume) bool { return v.PersistentVolumeClaim.ClaimName == name })
	if i < 0 || one.Template.Spec.Volumes[i].Name != "data" {
		t.Errorf("%s is not mounted", name)
	}
}

// What selects pods, Services and ports finds them; the metrics are not on the public Service.
func TestObjectsFindEachOther(t *testing.T) {
	r := rendered(t, "everything", "")
	var d deployment
	find(t, r, "Deployment", "", &d)
	labels := d.Template.Metadata.Labels
	var public, private service
	publicLabels := find(t, r, "Service", "prod-latchkey", &public).Metadata.Labels
	privateLabels := find(t, r, "Service", "prod-latchkey-metrics", &private).Metadata.Labels
	var budget, policy struct{ Selector, PodSelector selector }
	find(t, r, "PodDisruptionBudget", "", &budget)
	find(t, r, "NetworkPolicy", "", &policy)
	for name, s := range map[string]map[string]string{
		"deployment": d.Selector.MatchLabels, "service": public.Selector, "metrics": private.Selector, "budget": budget.Selector.MatchLabels, "policy": policy.PodSelector.MatchLabels,
	} {
		if !matches(s, labels) {
			t.Errorf("%s selects %v, the pods have %v", name, s, labels)
		}
	}
	if len(public.Ports) != 1 || public.Ports[0].TargetPort != "http" || public.Ports[0].Name != "https" || len(private.Ports) != 1 || private.Ports[0].TargetPort != "metrics" || private.ClusterIP != "None" || !private.PublishNotReadyAddresses {
		t.Errorf("%+v %+v", public, private)
	}
	var ports []string
	for _, p := range d.Template.Spec.Containers[0].Ports {
		ports = append(ports, p.Name)
	}
	if !slices.Equal(ports, []string{"http", "metrics"}) {
		t.Errorf("ports: %v", ports)
	}
	var monitor struct {
		Selector  selector
		Endpoints []struct {
			Port        string
			Relabelings []struct{ TargetLabel, Replacement string }
		}
	}
	find(t, r, "ServiceMonitor", "", &monitor)
	if matches(monitor.Selector.MatchLabels, publicLabels) || !matches(monitor.Selector.MatchLabels, privateLabels) || monitor.Endpoints[0].Port != "metrics" || monitor.Endpoints[0].Relabelings[0].Replacement != "latchkey" {
		t.Errorf("%+v", monitor)
	}
	var scaler struct{ ScaleTargetRef struct{ Kind, Name string } }
	find(t, r, "HorizontalPodAutoscaler", "", &scaler)
	if scaler.ScaleTargetRef.Kind != "Deployment" || scaler.ScaleTargetRef.Name != "prod-latchkey" {
		t.Errorf("%+v", scaler)
	}
}

func matches(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return len(selector) > 0
}

// Requests come in for the pages' host and the gateway's.
func TestIngressHosts(t *testing.T) {
	var ingress struct {
		TLS   []struct{ Hosts []string }
		Rules []struct {
			Host string
			HTTP struct {
				Paths []struct {
					Backend struct {
						Service struct {
							Name string
							Port struct{ Name string }
						}
					}
				}
			}
		}
	}
	find(t, rendered(t, "everything", ""), "Ingress", "", &ingress)
	hosts := []string{"account.example.com", "api.example.com"}
	if len(ingress.Rules) != 2 || ingress.Rules[0].Host != hosts[0] || ingress.Rules[1].Host != hosts[1] || !slices.Equal(ingress.TLS[0].Hosts, hosts) {
		t.Errorf("%+v", ingress)
	}
	if to := ingress.Rules[1].HTTP.Paths[0].Backend.Service; to.Name != "prod-latchkey" || to.Port.Name != "https" {
		t.Errorf("%+v", to)
	}
}

// The alerts are those of docs/deploy, templates in their texts included.
func TestAlertsOfTheChart(t *testing.T) {
	text, err := os.ReadFile("../../docs/deploy/prometheus-rules.yml")
	must(t, err)
	want := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllSubmatch(text, -1) {
		want[string(found[1])] = true
	}
	var rule struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	find(t, rendered(t, "everything", ""), "PrometheusRule", "", &rule)
	got := map[string]bool{}
	for _, r := range rule.Groups[0].Rules {
		got[r.Alert] = true
		if r.Expr == "" || r.Annotations["action"] == "" {
			t.Errorf("%+v", r)
		}
	}
	if len(want) == 0 || !maps.Equal(got, want) || !strings.Contains(rule.Groups[0].Rules[0].Annotations["summary"], "{{ $labels.instance }}") {
		t.Errorf("%v, want %v", got, want)
	}
}

// YAML reads 123 and 1e3 as numbers, which no name may be.
func TestNamesLikeNumbers(t *testing.T) {
	rendered(t, "postgres", `database: {existingSecret: "123"}
keys: {existingSecret: "1e3", key: "5"}
secretSettings: {LATCHKEY_SMTP_URL: {secret: "1", key: "2"}}
serviceAccountName: "7"
priorityClassName: "8"`)
	rendered(t, "sqlite", `persistence: {existingClaim: "9", storageClass: "10"}`)
}

// Names leave room for what is added to them.
func TestLongNames(t *testing.T) {
	r := rendered(t, "everything", "fullnameOverride: "+strings.Repeat("a", 63))
	for _, o := range r.Objects {
		if len(o.Metadata.Name) > 63 {
			t.Errorf("%s %s", o.Kind, o.Metadata.Name)
		}
	}
	var policy struct{ PolicyTypes []string }
	find(t, r, "NetworkPolicy", "", &policy)
	if text, _ := json.Marshal(policy); string(text) != `{"PolicyTypes":["Ingress","Egress"]}` {
		t.Errorf("%s", text)
	}
}
