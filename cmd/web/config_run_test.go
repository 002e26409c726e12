package main

import (
	"strings"
	"testing"
)

// C6: numbers are not shown to everybody by mistake.
func TestMetricsAddress(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "127.0.0.1:9464": "", "localhost:9464": "", "[::1]:9464": "", "10.1.2.3:9464": "", "192.168.0.9:1": "", "[fd00::1]:9464": "", "169.254.1.1:9": "",
		":9464": "LATCHKEY_METRICS_OPEN=true", "0.0.0.0:9464": "LATCHKEY_METRICS_OPEN=true", "[::]:9464": "LATCHKEY_METRICS_OPEN=true", "192.0.2.7:9464": "LATCHKEY_METRICS_OPEN=true",
		"9464": "write an IP address", "host.example.com:9464": "write an IP address", "127.0.0.1:http": "write an IP address", "127.0.0.1:99999": "write an IP address",
	} {
		env := folder(t)
		env["LATCHKEY_METRICS_ADDR"] = value
		env["LATCHKEY_DATABASE"] = "/dev/null/nowhere" // so that it ends in any case
		code, _, stderr := call(t, env, "", "status")
		if want == "" && code != exitFailed || want != "" && (code != exitUsage || !strings.Contains(stderr, want) || !strings.Contains(stderr, "LATCHKEY_METRICS_ADDR")) {
			t.Errorf("%q: %d %s", value, code, stderr)
		}
		if env["LATCHKEY_METRICS_OPEN"] = "true"; strings.HasPrefix(want, "LATCHKEY") {
			if code, _, stderr := call(t, env, "", "status"); code != exitFailed {
				t.Errorf("%q, open: %d %s", value, code, stderr)
			}
		}
	}
}

func TestDrainSettings(t *testing.T) {
	for variable, values := range map[string][]string{
		"LATCHKEY_DRAIN_DELAY":   {"-1s", "2h", "5", "x"},
		"LATCHKEY_DRAIN_TIMEOUT": {"0s", "-1s", "2h", "x"},
	} {
		for _, value := range values {
			env := folder(t)
			env[variable] = value
			if code, _, stderr := call(t, env, "", "status"); code != exitUsage || !strings.Contains(stderr, variable) || !strings.Contains(stderr, "to 1h") {
				t.Errorf("%s=%s: %d %s", variable, value, code, stderr)
			}
		}
	}
}
