// Package agent is the fence device that asks an external program: any agent that speaks the interface of fence-agents.
//
// An agent gets its options as lines on standard input, nothing on its command line, and answers with its exit code. The
// exit code of an off is an opinion; off is proven by what later runs of the agent, asked for the status, say for as long
// as a supply may carry its host. README.md has the rules and what such a proof is worth.
package agent
