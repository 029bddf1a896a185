package control

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A request of any shape is answered, reaches the daemon only when every word of it is understood, and then says the same
// when it is written down again.
func FuzzCommand(f *testing.F) {
	for _, body := range []string{
		`{"command":"arm"}`, `{"command":"switchover","group":"web","node":"bravo"}`, `{"command":"approve","incident":7}`,
		`{"command":"confirm-off","node":"bravo","broken_senses":["SENSE_BRAVO"]}`, `{"command":"arm"}{}`, `{"dry":true}`, `[]`, `{"incident":-1}`, ``,
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
		once := written(t, got[0])
		if code := ask(once); code != http.StatusOK || len(got) != 2 || !bytes.Equal(written(t, got[1]), once) {
			t.Fatalf("%q was understood as %s, and that as %+v", body, once, got)
		}
	})
}

// patient is a visitor whose writes have no deadline.
type patient struct{ *httptest.ResponseRecorder }

func (patient) SetWriteDeadline(time.Time) error { return nil }

func written(t *testing.T, r Request) []byte {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
