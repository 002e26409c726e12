{{- define "latchkey.env" -}}
- name: LATCHKEY_ADDR
  value: ":8080"
- name: LATCHKEY_BASE_URL
  value: {{ .Values.baseURL | quote }}
{{- if include "latchkey.onSQLite" . }}
{{- /* The program makes the folder, for itself alone: a volume's own belongs to root. */}}
- name: LATCHKEY_DATABASE
  value: /data/latchkey/latchkey.db
{{- else }}
- name: LATCHKEY_DATABASE
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret | quote }}
      key: {{ .Values.database.urlKey | quote }}
{{- with .Values.database.directKey }}
- name: LATCHKEY_DATABASE_DIRECT
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.database.existingSecret | quote }}
      key: {{ . | quote }}
{{- end }}
{{- end }}
- name: LATCHKEY_KEYS
  value: {{ ternary "/etc/latchkey/keys/keys.json" "/data/latchkey/keys.json" (ne .Values.keys.existingSecret "") }}
{{- with .Values.trustedProxies }}
- name: LATCHKEY_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: LATCHKEY_TLS_CERT
  value: /etc/latchkey/tls/tls.crt
- name: LATCHKEY_TLS_KEY
  value: /etc/latchkey/tls/tls.key
{{- end }}
{{- if .Values.metrics.enabled }}
- name: LATCHKEY_METRICS_ADDR
  value: ":9464"
- name: LATCHKEY_METRICS_OPEN
  value: "true"
{{- end }}
- name: LATCHKEY_DRAIN_DELAY
  value: {{ printf "%ds" (int .Values.drain.delaySeconds) }}
- name: LATCHKEY_DRAIN_TIMEOUT
  value: {{ printf "%ds" (int .Values.drain.timeoutSeconds) }}
{{- if not (hasKey .Values.settings "LATCHKEY_LOG") }}
- name: LATCHKEY_LOG
  value: json
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name | quote }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- range $name, $from := .Values.secretSettings }}
- name: {{ $name | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.secret | quote }}
      key: {{ $from.key | quote }}
{{- end }}
{{- end -}}

{{- define "latchkey.mounts" -}}
{{- if include "latchkey.onSQLite" . }}
- name: data
  mountPath: /data
{{- end }}
{{- if .Values.keys.existingSecret }}
- name: keys
  mountPath: /etc/latchkey/keys
  readOnly: true
{{- end }}
{{- if .Values.tls.existingSecret }}
- name: tls
  mountPath: /etc/latchkey/tls
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Mode 0440: root's, and readable for fsGroup. The program takes no key that others can read. */ -}}
{{- define "latchkey.volumes" -}}
{{- if include "latchkey.onSQLite" . }}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "latchkey.claim" . | quote }}
{{- end }}
{{- if .Values.keys.existingSecret }}
- name: keys
  secret:
    secretName: {{ .Values.keys.existingSecret | quote }}
    defaultMode: 0440
    items:
      - key: {{ .Values.keys.key | quote }}
        path: keys.json
{{- end }}
{{- with .Values.tls.existingSecret }}
- name: tls
  secret:
    secretName: {{ . | quote }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "latchkey.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "latchkey.selector" $ | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end -}}
