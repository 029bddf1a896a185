package script

import (
	"fmt"
	"strings"
)

// Help lists the language: settings, verbs, conditions and the commands of a person, from the tables that the parser
// uses.
func Help() string {
	var b strings.Builder
	row := func(head, doc string) { fmt.Fprintf(&b, "    %-46s %s\n", head, doc) }
	b.WriteString("Settings, before everything else:\n\n")
	for _, s := range settings {
		row("config "+s.name+" "+s.usage, s.doc)
	}
	b.WriteString("\nVerbs:\n\n")
	for _, v := range verbs {
		row(strings.TrimSpace(v.name+" "+v.usage), v.doc)
	}
	b.WriteString("\nConditions, between `expect` and `within D` or `for D`:\n\n")
	for _, c := range conditions {
		doc := c.doc
		if c.watches {
			doc += " (watched for all of D)"
		}
		row(c.name+" "+c.usage, doc)
	}
	b.WriteString("\nCommands of a person, after `run NODE` or `refused NODE CODE`:\n\n    ")
	for _, c := range commands {
		b.WriteString(c.words)
		for _, k := range c.args {
			b.WriteString(map[rune]string{'g': " GROUP", 'n': " NODE", 's': " BROKEN-SENSE", '?': " ["}[k])
		}
		if strings.Contains(c.args, "?") {
			b.WriteString(" ]")
		}
		b.WriteString(" · ")
	}
	b.WriteString("reload\n")
	return b.String()
}
