package main

// hidden are the parts that this program plays when it runs itself, each begun by its first word. They are found before
// the command line is parsed, because one of them begins for every service of a lab.
var hidden = map[string]func(args []string) int{}
