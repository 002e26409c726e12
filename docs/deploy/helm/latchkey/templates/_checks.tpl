{{- /* Refuses values that cannot work, all at once and each with what to write. */ -}}
{{- define "latchkey.check" -}}
{{- $wrong := list -}}
{{- $v := .Values -}}
{{- $plain := eq (get $v.settings "LATCHKEY_ALLOW_HTTP" | toString) "true" -}}
{{- if not $v.baseURL -}}
{{- $wrong = append $wrong "baseURL: write the public address, such as https://account.example.com" -}}
{{- else if and (hasPrefix "http://" $v.baseURL) (not $plain) -}}
{{- $wrong = append $wrong "baseURL: write an https address, or set settings.LATCHKEY_ALLOW_HTTP to true to send passwords and tokens in the clear" -}}
{{- end -}}
{{- if not $v.image.repository -}}
{{- $wrong = append $wrong "image.repository: write where your registry has the image that make image built" -}}
{{- end -}}
{{- if not (or $v.image.tag $v.image.digest) -}}
{{- $wrong = append $wrong "image.tag: write the version to run, or its digest in image.digest" -}}
{{- end -}}
{{- if include "latchkey.onSQLite" . -}}
{{- if or (gt (int $v.replicas) 1) $v.autoscaling.enabled -}}
{{- $wrong = append $wrong "replicas: a SQLite file has one node; write 1 and leave autoscaling off, or set database.type to postgres" -}}
{{- end -}}
{{- if $v.database.existingSecret -}}
{{- $wrong = append $wrong "database.existingSecret: leave it empty on SQLite, or set database.type to postgres" -}}
{{- end -}}
{{- else -}}
{{- if not $v.database.existingSecret -}}
{{- $wrong = append $wrong "database.existingSecret: name the Secret with PostgreSQL's address, or set database.type to sqlite and replicas to 1" -}}
{{- end -}}
{{- if not $v.keys.existingSecret -}}
{{- $wrong = append $wrong "keys.existingSecret: name the Secret with the key file that all nodes share; latchkey keys new prints one" -}}
{{- end -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.trustedProxies) -}}
{{- $wrong = append $wrong "trustedProxies: write the network of the ingress controller's pods, such as [10.42.0.0/16]; without it everybody has the controller's address, and one who guesses passwords stops all" -}}
{{- end -}}
{{- if and (not $v.metrics.enabled) (or $v.metrics.serviceMonitor.enabled $v.metrics.prometheusRule.enabled) -}}
{{- $wrong = append $wrong "metrics.enabled: set it to true for metrics.serviceMonitor and metrics.prometheusRule" -}}
{{- end -}}
{{- if $v.autoscaling.enabled -}}
{{- if gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas) -}}
{{- $wrong = append $wrong "autoscaling.maxReplicas: write at least minReplicas" -}}
{{- end -}}
{{- if not (dig "requests" "cpu" "" $v.resources) -}}
{{- $wrong = append $wrong "resources.requests.cpu: write one, autoscaling.cpuPercent is a part of it" -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $v.secretSettings -}}
{{- if hasKey $v.settings $name -}}
{{- $wrong = append $wrong (printf "settings.%s: it is in secretSettings too, leave one of them out" $name) -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n%s" (join "\n" $wrong)) -}}
{{- end -}}
{{- end -}}
