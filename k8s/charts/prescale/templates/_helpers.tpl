{{/* The image, by its digest where one is given. */}}
{{- define "prescale.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "prescale.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary .Release.Name "default" .Values.serviceAccount.create) }}
{{- end -}}

{{/* What selects the pods of a role: (list $ "keda-scaler"). */}}
{{- define "prescale.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}

{{- define "prescale.labels" -}}
{{ include "prescale.selector" . }}
app.kubernetes.io/part-of: prescale
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{/* Where a role's pods may run: (list $ "keda-scaler" .Values.scaler). */}}
{{- define "prescale.placement" -}}
{{- $name := index . 1 -}}
{{- $role := index . 2 -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "prescale.selector" . | nindent 8 }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "prescale.selector" . | nindent 14 }}
{{- with $role.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* What every pod has in common. */}}
{{- define "prescale.pod" -}}
serviceAccountName: {{ include "prescale.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
terminationGracePeriodSeconds: 30
{{- end -}}

{{- define "prescale.container" -}}
image: {{ include "prescale.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* The flags that both roles have. */}}
{{- define "prescale.args" -}}
- --prometheus={{ .Values.prometheus }}
{{- range .Values.allowServers }}
- --allow-server={{ . }}
{{- end }}
- --http-address=0.0.0.0:8080
- --log={{ .Values.log }}
- --log-format=json
{{- if eq .Values.mode "split" }}
- --redis-url={{ .Values.redis.url }}
{{- if .Values.redis.existingSecret }}
- --redis-password-file=/etc/prescale/redis/password
{{- end }}
{{- end }}
{{- end -}}

{{/* Liveness, and the HTTP probes of a role whose gRPC the kubelet cannot ask. */}}
{{- define "prescale.liveness" -}}
livenessProbe:
  httpGet: {path: /livez, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}

{{- define "prescale.httpProbes" -}}
startupProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
{{- end -}}

{{- define "prescale.tlsArgs" -}}
- --tls-certificate-file=/etc/prescale/tls/tls.crt
- --tls-key-file=/etc/prescale/tls/tls.key
- --tls-client-authority-file=/etc/prescale/tls/ca.crt
{{- end -}}

{{/* One rule to the cluster's DNS. */}}
{{- define "prescale.dns" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}

{{- define "prescale.fromPrometheus" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Values.networkPolicy.prometheusNamespace }}
  podSelector:
    matchLabels:
      {{- toYaml .Values.networkPolicy.prometheusLabels | nindent 6 }}
{{- end -}}
