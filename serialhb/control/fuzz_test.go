package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// requestWords are the keys of a request.
var requestWords = []string{"command", "group", "node", "incident", "broken_senses", "reason"}

// FuzzCommand: a request of any shape is answered, reaches the daemon only when every word of it is understood, and then says the same
// when it is written down again.
func FuzzCommand(f *testing.F) {
	for _, body := range []string{
		`{"command":"arm"}`, `{"command":"switchover","group":"web","node":"bravo"}`, `{"command":"approve","incident":7}`,
		`{"command":"confirm-off","node":"bravo","broken_senses":["SENSE_BRAVO"]}`, `{"command":"arm"}{}`, `{"dry":true}`, `{"command":"arm","dry":true}`, `{"COMMAND":"arm"}`, `null`, `[]`, `{"incident":-1}`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got []Request
		b := &script{command: func(_ context.Context, _ string, r Request) Result {
			got = append(got, r)
			return Result{}
		}}
		ask := func(body []byte) int {
			r := httptest.NewRequest(http.MethodPost, "/v1/command", bytes.NewReader(body))
			w := httptest.NewRecorder()
			command(patient{w}, r.WithContext(context.WithValue(r.Context(), whoKey{}, "somebody")), b)
			return w.Code
		}
		switch code := ask(body); {
		case code == http.StatusOK && len(got) == 1:
		case code == http.StatusBadRequest && len(got) == 0:
			return
		default:
			t.Fatalf("%q: status %d, and the daemon was asked %d times", body, code, len(got))
		}
		var words map[string]any
		if err := json.Unmarshal(body, &words); err != nil {
			t.Fatalf("%q was understood: %v", body, err)
		}
		for word := range words {
			if !slices.ContainsFunc(requestWords, func(known string) bool { return strings.EqualFold(known, word) }) {
				t.Fatalf("%q was understood, and nobody knows %q", body, word)
			}
		}
		once := written(t, got[0])
		if code := ask(once); code != http.StatusOK || len(got) != 2 || !bytes.Equal(written(t, got[1]), once) {
			t.Fatalf("%q was understood as %s, and that as %+v", body, once, got)
		}
	})
}

// patient is a visitor whose writes have no deadline.
type patient struct{ *httptest.ResponseRecorder }

func (patient) SetWriteDeadline(time.Time) error { return nil }

func written(t *testing.T, r any) []byte {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// answers is a daemon that says the same to everybody.
type answers struct {
	code int
	body []byte
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.code, Status: http.StatusText(a.code), Body: io.NopCloser(bytes.NewReader(a.body))}, nil
}

// FuzzAnswer: an answer of any shape is either an error of one line, or a value that says the same when it is written down
// again; and what people are told of it are lines that drive no terminal.
func FuzzAnswer(f *testing.F) {
	status, err := json.Marshal(takeover())
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range []string{
		string(status), `{"ok":true,"exit":0,"text":"done","lines":["one"]}`, `{"error":"it is\nnot possible \u001b[2J"}`, `{"error":""}`, `{"error":7}`, `{"armed":true,"groups":[{"frozen":true,"name":"a\u001b\u202e\nb"}]}`, ``, `null`, `[]`, `{}{`,
		`{"seq":1,"wall":"2026-11-22T12:00:00Z","text":"\u001b[31mred","evidence":["two\nlines","\u202e"]}` + "\n\n" + `{"seq":2,"wall":"2026-11-22T13:00:00+01:00","mono_ns":-5}` + "\n",
		`{"incident":3,"open":true,"now":["a\tb"],"events":[{"seq":9,"boot":"x","mono_ns":9223372036854775807},{"seq":9,"boot":"x","mono_ns":-9223372036854775808}]}`,
		`{"node":"` + strings.Repeat("long ", 40) + strings.Repeat("x", 90) + `","uptime_ms":-1,"links":[{"age_ms":1e300,"lost_share":-1}],"members":[{"name":"\u0000"}]}`,
	} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, ok bool) {
		code := http.StatusOK
		if !ok {
			code = http.StatusBadRequest
		}
		c := &Client{path: "alpha.sock", quiet: followPatience, http: &http.Client{Transport: answers{code, body}}}
		var s Status
		var y Why
		var r Result
		var heard []Event
		for what, err := range map[string]error{
			"status": take(&s)(c.Status(t.Context())), "why": take(&y)(c.Why(t.Context(), 0)), "command": take(&r)(c.Command(t.Context(), Request{})),
			"events": c.Events(t.Context(), 0, func(e Event) error { heard = append(heard, e); return nil }),
		} {
			if err != nil && !oneLine(err.Error()) {
				t.Errorf("%s: %q gives the error %q", what, body, err)
			}
			if !ok && err == nil {
				t.Errorf("%s: a refusal is taken for an answer: %q", what, body)
			}
		}
		for _, v := range []any{&s, &y, &r, &heard} {
			again := reflect.New(reflect.TypeOf(v).Elem())
			once := written(t, v)
			if err := json.Unmarshal(once, again.Interface()); err != nil || !bytes.Equal(written(t, again.Interface()), once) {
				t.Errorf("%q says %s, and that says %s: %v", body, once, written(t, again.Interface()), err)
			}
		}
		var out strings.Builder
		for _, err := range []error{WriteStatus(&out, s), WriteWhy(&out, y), NewTeller(&out).Tell(heard...), WriteMember(&out, s, "bravo")} {
			if err != nil {
				t.Error(err)
			}
		}
		if head := Headline(s); !oneLine(head) {
			t.Errorf("%q has the headline %q", body, head)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			// Only what cannot be broken is longer.
			if line != "" && !oneLine(line) || len(line) > columns && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%q is told as %q", body, line)
			}
		}
	})
}

// take keeps a value even if an error comes with it: it must not be a trap for who tells it all the same.
func take[T any](to *T) func(T, error) error {
	return func(v T, err error) error {
		*to = v
		return err
	}
}

func oneLine(s string) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
