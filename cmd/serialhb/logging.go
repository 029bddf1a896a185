package main

import (
	"io"
	stdlog "log"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/diode"

	"github.com/serialhb/serialhb/serialhb/config"
)

const (
	// logLines wait for a slow sink; more are dropped and counted.
	logLines = 1000
	// logBurst is how many lines a second are written; a storm beyond it is dropped.
	logBurst = 200
	// logFlush bounds the wait for a sink at the end: a stuck one must not keep the process.
	logFlush = 500 * time.Millisecond
)

// newLog makes the daemon's logger. Writing never waits for the sink, whatever it is.
func newLog(to io.Writer, c config.Log) (log zerolog.Logger, flush func()) {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	setLevel(c.Level)
	if c.Format == "console" {
		to = zerolog.ConsoleWriter{Out: to, TimeFormat: "15:04:05.000", NoColor: true}
	}
	sink := diode.NewWriter(keepOpen{to}, logLines, 0, func(missed int) { lostLines(missed) })
	log = zerolog.New(sink).With().Timestamp().Logger().
		Sample(&zerolog.BurstSampler{Burst: logBurst, Period: time.Second})
	stdlog.SetOutput(log)
	stdlog.SetFlags(0)
	return log, func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			sink.Close()
		}()
		select {
		case <-done:
		case <-time.After(logFlush):
		}
	}
}

// keepOpen is a writer that its user cannot close: the last words of the process still need standard error.
type keepOpen struct{ io.Writer }

func setLevel(level string) {
	if l, err := zerolog.ParseLevel(level); err == nil {
		zerolog.SetGlobalLevel(l)
	}
}

// lostLines says on standard error, once for many, that lines were dropped; if that is stuck too, nobody listens anyway.
func lostLines(missed int) {
	go func() {
		defer func() { _ = recover() }()
		os.Stderr.WriteString("serialhb: log lines were dropped, the sink is too slow\n")
	}()
}
