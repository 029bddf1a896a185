package pulse

import "testing"

// Names of the inbox stories: I am member 0 in session mine, the peer is member 1.
const (
	mine    = 0x1111
	mineOld = 0x1110
	first   = 0xAAAA // sessions of the peer, in the order of their birth
	second  = 0xBBBB
	third   = 0xCCCC
)

// heard is one pulse that arrives, and what it has to be worth.
type heard struct {
	why  string
	from uint32 // session of the sender
	to   uint32 // session of mine that it names
	seq  uint32
	echo uint32
	link int
	sent uint32 // last sequence that I have sent by then
	want Standing
}

func (h heard) pulse() *Pulse {
	return &Pulse{From: 1, To: 0, Session: h.from, PeerSession: h.to, Seq: h.seq, Echo: h.echo}
}

func (h heard) me() Me { return Me{Index: 0, Session: mine, Sent: h.sent} }

func hearAll(t *testing.T, in Inbox, story []heard) Inbox {
	t.Helper()
	for i, h := range story {
		var got Standing
		if in, got = in.Hear(h.pulse(), h.link, h.me()); got != h.want {
			t.Fatalf("step %d, %s: %v, want %v", i+1, h.why, got, h.want)
		}
		if got.IsLife() != (h.want == Alive || h.want == Claimed) {
			t.Fatalf("step %d, %s: %v and life disagree", i+1, h.why, got)
		}
	}
	return in
}

func TestInbox(t *testing.T) {
	// The first pulses of every story in which a session of the peer is current and claimed.
	claimed := []heard{
		{"he knows me not", first, 0, 1, 0, 0, 4, Alive},
		{"he answers me", first, mine, 2, 4, 0, 5, Claimed},
	}
	after := func(more ...heard) []heard { return append(append([]heard{}, claimed...), more...) }

	for name, story := range map[string][]heard{
		"rule 1: a claim is life, of my session, and newer": after(
			heard{"next", first, mine, 3, 5, 0, 6, Claimed},
			heard{"gap", first, mine, 9, 6, 0, 7, Claimed},
			heard{"he means a session of mine that is over", first, mineOld, 10, 900, 0, 8, Alive},
			heard{"he has lost me", first, 0, 11, 0, 0, 9, Alive},
			heard{"he has me again", first, mine, 12, 9, 0, 9, Claimed},
		),
		"rule 1: a replay is nothing": after(
			heard{"same", first, mine, 2, 4, 0, 5, Replayed},
			heard{"older", first, mine, 1, 0, 0, 5, Replayed},
			heard{"newer again", first, mine, 3, 5, 0, 6, Claimed},
			heard{"same after a gap", first, mine, 3, 5, 0, 6, Replayed},
		),
		"rule 1: the same sequence on a second link is life there and no claim": after(
			heard{"on the second link", first, mine, 2, 4, 1, 5, Alive},
			heard{"again there", first, mine, 2, 4, 1, 5, Replayed},
			heard{"the second link is faster", first, mine, 3, 5, 1, 6, Claimed},
			heard{"now the first is late", first, mine, 3, 5, 0, 6, Alive},
			heard{"the last link there is", first, mine, 3, 5, MaxLinks - 1, 6, Alive},
			heard{"far behind, but newer there", first, mine, 4, 6, 2, 7, Claimed},
			heard{"older on a link that never spoke", first, mine, 1, 4, 3, 7, Alive},
		),
		"rule 1: a claim that is overtaken is no claim": after(
			heard{"newest", first, mine, 8, 5, 0, 6, Claimed},
			heard{"slower link, not yet seen there", first, mine, 7, 5, 1, 6, Alive},
		),
		"rule 2: a delayed pulse of an older session is nothing, leaving or not": after(
			heard{"he restarts, and does not hear me yet", second, 0, 1, 0, 0, 5, Older},
			heard{"he answers what I sent after his last claim", second, mine, 2, 6, 0, 6, Claimed},
			heard{"the last word of the session before comes late", first, mine, 7, 5, 1, 6, Older},
			heard{"and he goes on", second, mine, 3, 6, 0, 7, Claimed},
		),
		"rule 2: the echo has to be of a sequence after the last claim": after(
			heard{"of the last claim itself", second, mine, 1, 5, 0, 9, Older},
			heard{"of the first after it", second, mine, 2, 6, 0, 9, Claimed},
		),
		"rule 2: the last claim counts, not the first": after(
			heard{"claim, and I had sent 20", first, mine, 3, 5, 0, 20, Claimed},
			heard{"life alone moves nothing", first, 0, 4, 0, 0, 30, Alive},
			heard{"before that claim", second, mine, 1, 20, 0, 31, Older},
			heard{"after that claim", second, mine, 2, 21, 0, 31, Claimed},
			heard{"the third, before the claim of the second", third, mine, 1, 31, 0, 40, Older},
			heard{"the third, after it", third, mine, 2, 32, 0, 40, Claimed},
		),
		"rule 2: an echo of a sequence that I did not send proves nothing": after(
			heard{"beyond my last", second, mine, 1, 8, 0, 7, Older},
			heard{"my very last", second, mine, 2, 7, 0, 7, Claimed},
		),
		"rule 2: a sequence of mine is one of my session": after(
			heard{"of an old session of mine", second, mineOld, 1, 6, 0, 7, Older},
			heard{"of none", second, 0, 2, 6, 0, 7, Older},
			heard{"of mine", second, mine, 3, 6, 0, 7, Claimed},
		),
		"rule 2: a rising unknown session may be alive and deaf": after(
			heard{"seen", second, 0, 10, 0, 0, 9, Older},
			heard{"risen once", second, 0, 11, 0, 0, 9, Older},
			heard{"not risen", second, 0, 11, 0, 1, 9, Older},
			heard{"fallen", second, 0, 5, 0, 1, 9, Older},
			heard{"risen twice", second, 0, 20, 0, 0, 9, Older},
			heard{"risen three times", second, 0, 21, 0, 0, 9, Rising},
			heard{"still", second, 0, 22, 0, 0, 9, Rising},
			heard{"another one begins at nothing", third, 0, 99, 0, 0, 9, Older},
			heard{"and he hears me at last", second, mine, 23, 9, 0, 9, Claimed},
			heard{"then the count is over", third, 0, 100, 0, 0, 9, Older},
			heard{"risen once", third, 0, 101, 0, 0, 9, Older},
			heard{"risen twice", third, 0, 102, 0, 0, 9, Older},
			heard{"risen three times", third, 0, 103, 0, 0, 9, Rising},
		),
		"rule 2: a burst that waited in a buffer does not rise when it repeats": after(
			heard{"one", second, 0, 10, 0, 0, 9, Older},
			heard{"two", second, 0, 11, 0, 0, 9, Older},
			heard{"one, on a slow link", second, 0, 10, 0, 1, 9, Older},
			heard{"two, there", second, 0, 11, 0, 1, 9, Older},
			heard{"two, on a third link", second, 0, 11, 0, 2, 9, Older},
		),
		"a replaced session that answers is a twin": after(
			heard{"the new one", second, mine, 1, 6, 0, 6, Claimed},
			heard{"the old one answers me now", first, mine, 3, 7, 0, 7, Twin},
			heard{"and again", first, mine, 4, 7, 1, 7, Twin},
			heard{"the new one stays", second, mine, 2, 7, 0, 8, Claimed},
		),
		"a twin that always speaks just after the other is one too": after(
			heard{"the new one", second, mine, 1, 6, 0, 6, Claimed},
			heard{"the new one again", second, mine, 2, 7, 0, 7, Claimed},
			heard{"the old one has heard no more than that", first, mine, 3, 7, 0, 7, Twin},
			heard{"what it had sent before is only late", first, mine, 2, 6, 1, 7, Older},
		),
		"two fresh daemons cannot lock each other out": {
			{"what waited in a buffer comes first", first, mineOld, 700, 90, 0, 0, Alive},
			{"the fresh peer", second, 0, 1, 0, 0, 0, Alive},
			{"he heard me", second, mine, 2, 1, 0, 1, Claimed},
			{"the buffer of another link", first, mineOld, 701, 90, 1, 1, Older},
		},
		"a session that had not answered is no twin of the one whose last word came late": {
			{"the old one, that does not know me yet", first, mineOld, 700, 90, 0, 1, Alive},
			{"the new one", second, 0, 1, 0, 0, 2, Alive},
			{"the last word of the old one, over the slower link", first, mine, 701, 2, 1, 2, Claimed},
			{"the new one answers", second, mine, 2, 3, 0, 3, Claimed},
			{"and again", second, mine, 3, 4, 0, 4, Claimed},
		},
		"a session without a claim is replaced, though it rises": {
			{"deaf", first, 0, 5, 0, 0, 1, Alive},
			{"deaf still", first, 0, 6, 0, 0, 2, Alive},
			{"another, its sequence is lower", second, 0, 1, 0, 0, 3, Alive},
			{"and yet another", third, 0, 1, 0, 0, 3, Alive},
			{"which answers", third, mine, 2, 3, 0, 3, Claimed},
		},
		"an echo is asked of a new session only": {
			{"he names my session and echoes nothing on this link", first, mine, 1, 0, 0, 9, Claimed},
			{"nor on that", first, mine, 2, 0, 1, 9, Claimed},
		},
	} {
		t.Run(name, func(t *testing.T) { hearAll(t, Inbox{}, story) })
	}
}

func TestInboxOwnAndMisaddressed(t *testing.T) {
	me := Me{Index: 1, Session: mine, Sent: 3}
	before := Inbox{Session: first, Claimed: true, ClaimSeq: 4}
	for name, c := range map[string]struct {
		from, to uint8
		want     Standing
	}{
		"mine":               {1, 0, Own},
		"mine, to myself":    {1, 1, Own},
		"to a third":         {0, 2, Misaddressed},
		"to himself":         {0, 0, Misaddressed},
		"from the spare":     {2, 0, Misaddressed},
		"for me, and so new": {0, 1, Claimed},
	} {
		p := &Pulse{From: c.from, To: c.to, Session: first, PeerSession: mine, Seq: 9, Echo: 3}
		after, got := before.Hear(p, 0, me)
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if c.want != Claimed && after != before {
			t.Errorf("%s: a pulse that is not for me is remembered", name)
		}
	}
}

func TestInboxRemembersTheClaim(t *testing.T) {
	in := hearAll(t, Inbox{}, []heard{
		{"he knows me not", first, 0, 1, 0, 0, 4, Alive},
		{"he answers", first, mine, 2, 4, 0, 5, Claimed},
		{"life on a second link", first, mine, 2, 4, 1, 6, Alive},
		{"a restart, unproven", second, 0, 3, 0, 2, 7, Older},
	})
	want := Inbox{
		Session: first, Claimed: true, ClaimSeq: 2, SentAtClaim: 5, SentAtStart: 4,
		LinkSeq:  [MaxLinks]uint32{2, 2},
		Stranger: second, StrangerSeq: [MaxLinks]uint32{2: 3},
	}
	if in != want {
		t.Errorf("\n got %+v\nwant %+v", in, want)
	}
	in = hearAll(t, in, []heard{{"the restart answers", second, mine, 4, 6, 2, 8, Claimed}})
	want = Inbox{Session: second, Claimed: true, ClaimSeq: 4, SentAtClaim: 8, Replaced: first, SentAtStart: 8, LinkSeq: [MaxLinks]uint32{2: 4}}
	if in != want {
		t.Errorf("\n got %+v\nwant %+v", in, want)
	}
}

func TestInboxForget(t *testing.T) {
	// In my session before I had sent 500 when his last claim came.
	in := hearAll(t, Inbox{}, []heard{{"he answers", first, mine, 2, 1, 0, 500, Claimed}}).Forget()
	hearAll(t, in, []heard{
		{"he may have begun a new session in the same moment: life, no claim", second, 0, 1, 0, 0, 0, Alive},
		{"he does not know my new session yet", first, mineOld, 3, 500, 0, 1, Alive},
		{"he does", first, mine, 4, 1, 0, 1, Claimed},
	})
	hearAll(t, in, []heard{
		{"whoever names my new session answers it", second, mine, 1, 0, 0, 1, Claimed},
		{"my new session counts from 1 again", second, mine, 2, 1, 0, 1, Claimed},
	})
}

func TestInboxRisesForLong(t *testing.T) {
	in := hearAll(t, Inbox{}, []heard{{"he answers", first, mine, 2, 1, 0, 5, Claimed}})
	for seq := range uint32(1000) {
		var got Standing
		in, got = in.Hear(heard{from: second, seq: seq + 1}.pulse(), 0, Me{Session: mine, Sent: 5})
		if rising := got == Rising; rising != (seq >= risingRun) {
			t.Fatalf("risen %d times: %v", seq, got)
		}
	}
}

// What waited in a slow link is older than what a quick one has just brought, and shows that its sender goes on all the same.
func TestABacklogOnASlowLinkRises(t *testing.T) {
	in := hearAll(t, Inbox{}, []heard{{"he answers", first, mine, 2, 1, 0, 5, Claimed}})
	hearAll(t, in, []heard{
		{"the newest comes first", second, 0, 201, 0, 1, 5, Older},
		{"then what waited", second, 0, 137, 0, 0, 5, Older},
		{"once", second, 0, 138, 0, 0, 5, Older},
		{"twice", second, 0, 139, 0, 0, 5, Older},
		{"the same again is nothing new", second, 0, 139, 0, 0, 5, Older},
		{"nor what is older", second, 0, 138, 0, 0, 5, Older},
		{"three times", second, 0, 140, 0, 0, 5, Rising},
	})
}

// Old bytes that come late must not make a live peer a twin of itself while nothing was claimed.
func TestLateBytesBeforeAnyClaimMakeNoTwin(t *testing.T) {
	me := Me{Index: 0, Session: 9, Sent: 5}
	var in Inbox
	var got Standing
	hear := func(p Pulse) { in, got = in.Hear(&p, 0, me) }
	hear(Pulse{From: 1, To: 0, Session: 20, Seq: 1})
	hear(Pulse{From: 1, To: 0, Session: 10, Seq: 900})
	hear(Pulse{From: 1, To: 0, Session: 20, PeerSession: 9, Echo: 5, Seq: 2})
	if got != Claimed {
		t.Fatalf("the peer's answer is %s, want claimed", got)
	}
}
