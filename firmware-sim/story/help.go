package story

import (
	"fmt"
	"strings"
)

// Verbs is the reference of the language: the text of `serialhb lab --verbs`.
func Verbs() string {
	var b strings.Builder
	b.WriteString("A story is one command a line. A # at the beginning of a word begins a comment.\n" +
		"The nodes are " + strings.Join(Nodes, " and ") + ", the service is " + Service + ". NODE->NODE names a direction; without it both are meant.\n" +
		"A DURATION has a unit: 20ms, 1.5s.\n\nVerbs\n\n")
	for _, v := range verbs {
		entry(&b, v.name+" "+v.usage, v.doc)
	}
	b.WriteString("\nConditions of expect\n\n")
	for _, c := range conditions {
		entry(&b, c.name+" "+c.usage, c.doc)
	}
	b.WriteString("\nSettings of config, and what they are otherwise\n\n")
	for _, s := range settings {
		entry(&b, s.key+" "+s.usage, s.doc+" ("+s.get(Defaults())+")")
	}
	return b.String()
}

func entry(b *strings.Builder, usage, doc string) {
	fmt.Fprintf(b, "  %s\n", strings.TrimSpace(usage))
	line := "     "
	for word := range strings.FieldsSeq(doc) {
		if len(line)+1+len(word) > 80 {
			b.WriteString(line + "\n")
			line = "     "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
