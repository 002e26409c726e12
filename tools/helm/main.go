// Command helm does for tests what the program of that name does with "lint" and
// "template", without a cluster and without a network: it lints the chart in a folder,
// renders it with the values on standard input, and reads each object as the API server
// would, refusing fields that it does not have. What it finds is printed as JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// kubernetes is the version that the chart is rendered for.
const kubernetes = "v1.30.0"

// found is what is printed.
type found struct {
	Lint    []string         `json:"lint"`    // warnings and errors
	Refused string           `json:"refused"` // why the values cannot be rendered
	Objects []runtime.Object `json:"objects"`
	Wrong   []string         `json:"wrong"` // why objects would not be taken
	Notes   string           `json:"notes"`
}

func main() {
	log.SetOutput(io.Discard) // Helm tells of links between files there
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "helm: "+err.Error())
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("write the folder of a chart, the name of a release and a namespace, and give the values on standard input")
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	// Linting takes values away that are null.
	linted, err := chartutil.ReadValues(text)
	if err != nil {
		return err
	}
	values, err := chartutil.ReadValues(text)
	if err != nil {
		return err
	}
	var f found
	for _, m := range lint.All(args[0], linted, args[2], true).Messages {
		if m.Severity >= support.WarningSev {
			f.Lint = append(f.Lint, m.Error())
		}
	}
	files, err := render(args[0], values, chartutil.ReleaseOptions{Name: args[1], Namespace: args[2], Revision: 1, IsInstall: true})
	if err != nil {
		f.Refused = err.Error()
	}
	if err := f.read(files); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

func render(folder string, values chartutil.Values, release chartutil.ReleaseOptions) (map[string]string, error) {
	chart, err := loader.Load(folder)
	if err != nil {
		return nil, err
	}
	version, err := chartutil.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	if !chartutil.IsCompatibleRange(chart.Metadata.KubeVersion, version.String()) {
		return nil, fmt.Errorf("the chart is not for Kubernetes %s", version)
	}
	able := chartutil.DefaultCapabilities.Copy()
	able.KubeVersion = *version
	all, err := chartutil.ToRenderValues(chart, values, release, able)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, all)
}

// read sorts the rendered files into notes and objects.
func (f *found) read(files map[string]string) error {
	known := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(known), monitoring.AddToScheme(known)); err != nil {
		return err
	}
	strict := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	for name, text := range files {
		if path.Base(name) == "NOTES.txt" {
			f.Notes = text
			continue
		}
		for _, manifest := range releaseutil.SplitManifests(text) {
			if strings.TrimSpace(manifest) == "" {
				continue
			}
			object, kind, err := strict.Decode([]byte(manifest), nil, nil)
			if err != nil {
				f.Wrong = append(f.Wrong, fmt.Sprintf("%s: %v\n%s", name, err, manifest))
				continue
			}
			object.GetObjectKind().SetGroupVersionKind(*kind)
			f.Objects = append(f.Objects, object)
		}
	}
	return nil
}
