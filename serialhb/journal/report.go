package journal

import "fmt"

// Finding is what loading a fact found.
type Finding uint8

// The findings. Only Intact is to be trusted; the zero value is not.
const (
	// Unread: the file could not be read, the error says why.
	Unread Finding = iota
	// Missing: there is no such fact.
	Missing
	// Intact: the fact is whole and was loaded.
	Intact
	// Empty: the file has no content, as some file systems leave it after a power cut.
	Empty
	// Torn: the file ends before its content does.
	Torn
	// Foreign: the file is not one of ours.
	Foreign
	// Older: written in a format before this one.
	Older
	// Newer: written by a later release.
	Newer
	// Corrupt: the content is not what its checksum says.
	Corrupt
	// Misplaced: an intact fact of another kind.
	Misplaced
	// OtherBoot: an intact fact of another boot of the host.
	OtherBoot
	// Undecodable: intact, but it does not fit the value it was to be loaded into.
	Undecodable
)

var findingNames = [...]string{"unread", "missing", "intact", "empty", "torn", "foreign", "older", "newer", "corrupt", "misplaced", "other-boot", "undecodable"}

var findingWords = [...]string{
	"could not be read", "does not exist", "is intact", "is empty", "is torn off", "is not a file of serialhb",
	"is of an older format", "is of a newer format: run the release that wrote it, or go on without it",
	"is damaged", "belongs to another fact", "is of another boot of this host", "does not fit what this release expects",
}

func (f Finding) String() string {
	if int(f) < len(findingNames) {
		return findingNames[f]
	}
	return "invalid"
}

// Report is what loading a fact found. It is a value to be acted on and shown.
type Report struct {
	Kind    string
	Path    string
	Finding Finding
	Version int    // of the format, 0 if it could not be told
	Boot    string // in which the fact was written, "" if none or unknown
	Detail  string // more about an undecodable or misplaced fact
	KeptAs  string // where an untrusted file was put aside, "" if nowhere
}

// Trusted says whether the value was loaded. If not, the value is untouched.
func (r Report) Trusted() bool { return r.Finding == Intact }

// String is one sentence.
func (r Report) String() string {
	word := "is invalid"
	if int(r.Finding) < len(findingWords) {
		word = findingWords[r.Finding]
	}
	s := fmt.Sprintf("the record %s (%s) %s", r.Kind, r.Path, word)
	if r.Detail != "" {
		s += " (" + r.Detail + ")"
	}
	if r.KeptAs != "" {
		s += "; it was not believed and is kept as " + r.KeptAs
	}
	return s
}
