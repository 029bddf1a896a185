package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource"
)

// keysOf lists the keys of a table and of the tables below it, by heading.
func keysOf(table reflect.Type, heading string, into map[string][]string) {
	for i := range table.NumField() {
		f := table.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		inner, path := f.Type, strings.TrimPrefix(heading+"."+name, ".")
		_, isLeaf := reflect.New(inner).Interface().(leaf)
		switch {
		case name == "":
		case inner.Kind() == reflect.Slice:
			keysOf(inner.Elem(), path, into)
		case inner.Kind() == reflect.Struct && !isLeaf:
			keysOf(inner, path, into)
		default:
			into[heading] = append(into[heading], name)
		}
	}
}

func TestReadmeListsEveryKey(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]map[string]bool{}
	heading := ""
	for _, line := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(line, "#") {
			heading = strings.Trim(line, "# []")
		}
		if key, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | "); ok && strings.HasPrefix(line, "| `") {
			if strings.Count(rest, " | ") < 1 {
				t.Errorf("[%s] %s has no default", heading, key)
			}
			if listed[heading] == nil {
				listed[heading] = map[string]bool{}
			}
			listed[heading][key] = true
		}
	}
	there := map[string][]string{}
	keysOf(reflect.TypeFor[rawFile](), "", there)
	if len(there) != 9 {
		t.Fatal(there)
	}
	for heading, keys := range there {
		for _, key := range keys {
			if !listed[heading][key] {
				t.Errorf("[%s] %s is not in README.md", heading, key)
			}
			delete(listed[heading], key)
		}
		for key := range listed[heading] {
			t.Errorf("[%s] %s is in README.md, and there is no such key", heading, key)
		}
	}
}

func TestTimeoutsAreThoseOfTheResources(t *testing.T) {
	if [3]time.Duration{defaultStartTimeout, defaultStopTimeout, defaultStatusTimeout} !=
		[3]time.Duration{resource.DefaultStartTimeout, resource.DefaultStopTimeout, resource.DefaultStatusTimeout} {
		t.Error("a file without time-outs means others than the package resource does")
	}
	for _, g := range mustFor(t, three, "alpha").Groups {
		for _, r := range g.Resources {
			if _, err := resource.NewExec(resource.ExecConfig{Name: r.Name, Start: r.Start, Stop: r.Stop, Status: r.Status}); err != nil {
				t.Error(err)
			}
		}
	}
}

// Names of nodes and the words of a link are keys of one table.
func TestLinkWords(t *testing.T) {
	there := map[string][]string{}
	keysOf(reflect.TypeFor[rawFile](), "", there)
	for _, word := range there["link"] {
		if !isLinkWord(word) {
			t.Errorf("a node could be named %s", word)
		}
	}
}
