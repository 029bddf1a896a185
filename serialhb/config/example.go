package config

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

//go:embed example.toml.tmpl
var exampleText string

var exampleTemplate = template.Must(template.New("example").Funcs(template.FuncMap{
	"upper": func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) },
	"quote": func(s string) string { return fmt.Sprintf("%q", s) },
}).Parse(exampleText))

type exampleCable struct{ Name, A, DeviceA, B, DeviceB string }

type exampleAddress struct{ Name, Address string }

// Example is a commented file for a cluster of two to four nodes, two being named alpha and bravo if fewer are given. It
// shows every key that most sites will want, with its default where it has one, and it has no errors if cluster and nodes
// have names that can be used.
func Example(cluster string, nodes ...string) string {
	for _, usual := range []string{"alpha", "bravo"} {
		if len(nodes) < 2 && !slices.Contains(nodes, usual) {
			nodes = append(nodes[:len(nodes):len(nodes)], usual)
		}
	}
	values := struct {
		Cluster   string
		Nodes     []string
		Cables    []exampleCable
		Addresses []exampleAddress
	}{Cluster: cluster, Nodes: nodes}
	ports := map[string]int{}
	device := func(node string) string {
		ports[node]++
		return fmt.Sprintf("/dev/serialhb%d", ports[node]-1)
	}
	for i, a := range nodes {
		values.Addresses = append(values.Addresses, exampleAddress{a, fmt.Sprintf("192.0.2.%d:6940", i+1)})
		for _, b := range nodes[i+1:] {
			name := "cable"
			if len(nodes) > 2 {
				name = fmt.Sprintf("cable-%s-%s", a, b)
			}
			values.Cables = append(values.Cables, exampleCable{name, a, device(a), b, device(b)})
		}
	}
	var b strings.Builder
	if err := exampleTemplate.Execute(&b, values); err != nil {
		panic(fmt.Sprintf("config: write example: %v", err)) // the template is ours
	}
	return b.String()
}
